"""`corrupt`: correct traces of which an exact share of the checkable steps is made wrong, each proven to be."""
