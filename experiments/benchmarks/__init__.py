"""Speed on this machine, as ratios of times measured side by side.

`run.py bench` prints every row with its target.
"""
