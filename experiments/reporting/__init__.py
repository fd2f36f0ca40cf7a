"""Figures, tables and reports, made from numbers that already exist.

Nothing here trains or knows a study.
"""
