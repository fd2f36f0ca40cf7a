"""What truncation does to gradients: bias against full, error signal by lag, credit matrix.

Measured on the gradient that training uses.
"""
