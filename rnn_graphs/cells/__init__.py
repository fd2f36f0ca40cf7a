"""Cells, what is known of each, and what goes around them."""
