"""`python -m experiments` is `run.py`, from any folder."""

from __future__ import annotations

import sys

# Python puts the current folder first. No file there may be a module: not a run.py, nor a yaml.py.
if not sys.flags.safe_path:
    del sys.path[0]

if __name__ == "__main__":
    from experiments.paths import ROOT

    sys.path.insert(0, str(ROOT))
    from run import main

    sys.exit(main())
