"""Advice: the num_steps and the style of truncation that data need, and the cost."""
