"""How the time of a step grows with the state, on runs made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.runs.run import Run
from experiments.studies.registry import make_criterion
from experiments.studies.runs import StudyRuns
from experiments.studies.subjects.cost import slope
from tests.handmade import finished_run


def timed(folder: Path, state: int, seconds: float) -> Run:
    """Two seeds of a run with this state, and these seconds for a time step."""
    each = [seconds, 1.01 * seconds]
    losses = [[0.6, 0.5, 0.4]] * 2
    overrides = [f"model.state_size={state}"]
    return finished_run(folder, f"s{state}", losses, overrides=overrides, step_seconds=each)


@pytest.mark.parametrize(("at_most", "verdict"), [(3.2, "holds"), (2.8, "fails")])
def test_the_exponent_of_the_cost(tmp_path: Path, at_most: float, verdict: str) -> None:
    found = {f"s{n}": timed(tmp_path, n, 1e-6 * n**3 if n > 4 else 1.0) for n in (4, 8, 16, 32)}
    arguments = {"names": ["s*"], "at_most": at_most, "least_state": 8}
    finding = make_criterion("cost_exponent", arguments).decide(StudyRuns(found))
    assert finding.value == pytest.approx(3, abs=0.01)
    assert finding.verdict == verdict
    assert slope([(0.0, 1.0), (1.0, 3.0)]) == pytest.approx(2)
