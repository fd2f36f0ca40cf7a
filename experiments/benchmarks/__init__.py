"""Speed on this machine: `run.py bench`. Every ratio is taken side by side in one run."""
