"""experiments/reporting/claims.py: claims.json."""

from __future__ import annotations

import json
from pathlib import Path

from experiments.reporting.claims import Claim, write_claims


def test_claims_json_has_the_contracts_keys(tmp_path: Path) -> None:
    claim = Claim("a", "s", "c", 1.0, float("nan"), float("-inf"), None, 3, "fails", "n")
    write_claims(tmp_path / "claims.json", [claim])
    (row,) = json.loads((tmp_path / "claims.json").read_text())
    keys = "id source claim expected measured low high seeds verdict"
    assert set(keys.split()) <= set(row)
    assert row["measured"] is row["low"] is None  # JSON has neither nan nor infinity
