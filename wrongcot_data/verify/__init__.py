"""Is a data set what it says? Everything is computed again from its files alone; `differences` begins."""
