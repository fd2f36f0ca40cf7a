"""`python -m experiments` is `run.py`, from any folder."""

from __future__ import annotations

import sys

from experiments.paths import ROOT

sys.path.insert(0, str(ROOT))  # `run` is our own, not a run.py of the current folder

if __name__ == "__main__":
    from run import main

    sys.exit(main())
