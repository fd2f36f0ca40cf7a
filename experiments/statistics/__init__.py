"""Intervals and tests over seeds: pure functions of numbers.

Nothing here reads runs, files or plots.
"""
