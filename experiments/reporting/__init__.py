"""Figures, tables and reports out of numbers that are already there.

Nothing here knows a study or trains.
"""
