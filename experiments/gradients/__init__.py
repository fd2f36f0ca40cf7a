"""Gradients under truncation: bias against full, error signal by lag, credit matrix.

Everything is measured on the gradient that training uses.
"""
