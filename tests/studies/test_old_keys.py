"""experiments/studies/old_keys.py: keys that were renamed, and still work."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.config.catalog import names
from experiments.studies.spec import load_study

OLD = """
description: d
title: t
introduction: i
runs: {a: {experiment: lag_17}}
figures:
  - {id: f, kind: horizon, title: t, caption: c, arguments: {names: ["*"], reach: num_steps}}
claims:
  - id: x
    source: s
    claim: c
    expected: 0.5
    measure: final_loss
    arguments: {run: a, tolerance: 1}
  - {id: y, source: s, claim: c, expected: "0", measure: none_beyond_reach, arguments: {names: [a]}}
  - id: z
    source: s
    claim: c
    criterion: loss_of_updates
    arguments: {run: a, first: 1, last: 10, expected: 0.5, margin: 1}
"""


def test_old_keys_still_work_and_are_named_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old.yaml").write_text(OLD, "utf-8")
    study = load_study(str(tmp_path / "old.yaml"))
    kinds = [claim.criterion.kind() for claim in study.claims]
    assert kinds == ["final_loss", "none_beyond_depth", "loss_of_updates"]
    assert study.claims[0].criterion.expectation() == 0.5
    (line,) = capsys.readouterr().err.splitlines()
    assert "measure is now criterion, expected is now one of the arguments" in line
    assert "none_beyond_reach is now none_beyond_depth" in line
    assert "reach of horizon is now against" in line
    assert "margin of loss_of_updates is now tolerance" in line


@pytest.mark.parametrize("name", names("study"))
def test_shipped_studies_have_todays_keys(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    load_study(name)
    assert not capsys.readouterr().err
