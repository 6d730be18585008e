"""The report of a sweep as one HTML page, made as the page of a data set is: `wrongcot_data.page` has its style.

`model` and `plots` say what is on it, as plain values; `html` renders them.
"""
