"""`paraphrase`: traces that a language model has rewritten in its own words, each proven to be the same reasoning."""
