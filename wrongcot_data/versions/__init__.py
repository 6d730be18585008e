"""Versions of a data set: named, compared, published on the Hub or a shared disk, fetched."""
