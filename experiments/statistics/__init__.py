"""Intervals and tests over seeds: pure functions of numbers.

Nothing here knows a run, a file or a plot.
"""
