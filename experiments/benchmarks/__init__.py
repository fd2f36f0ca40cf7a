"""Speed on this machine, as ratios of things measured side by side.

`run.py bench` prints every row with its bar.
"""
