"""Speed on this machine, as ratios measured side by side.

`run.py bench` prints every row with its bar.
"""
