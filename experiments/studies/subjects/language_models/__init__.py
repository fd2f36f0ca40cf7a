"""Language models of characters, subwords and words, beside n-grams, on one text."""
