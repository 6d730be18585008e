"""A data set as one HTML page: counts, plots and some of its traces to read.

`choice` says which rows, `reading` gets them, `traces` and `beside` make of a row what is shown, `model` puts it
together with `plots`, `html` renders it, and `write` is the way through.
"""

ROWS = 600
"""Rows of a page: about a megabyte, which a phone opens at once, and some forty problems of a set with all variants."""

MOST_ROWS = 20_000
"""Beyond it browsers get slow."""
