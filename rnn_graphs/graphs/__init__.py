"""Whole graphs, finalized: to train, to evaluate, and to measure."""
