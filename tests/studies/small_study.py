"""A study of one claim or one figure, for tests of what checks and draws it."""

from __future__ import annotations

from typing import Any

from experiments.studies.registry import FIGURES
from experiments.studies.spec import StudyConfig

FIGURE = {"id": "a", "kind": "curves", "title": "t", "caption": "c"}
RUNS = {"tf9": {"experiment": "lag_17"}, "tf27": {"experiment": "lag_17"}}
GRID = {"experiment": "lag_17", "over": {"graph.num_steps": [3, 5]}}


def study_of(criterion: str = "", **arguments: Any) -> StudyConfig:
    """A study of one claim, or of one figure where the name is a figure's."""
    content: dict[str, Any] = {
        "description": "d", "title": "t", "introduction": "i", "runs": RUNS, "grids": {"n": GRID},
        "figures": [], "claims": [],
    }  # fmt: skip
    if criterion in FIGURES:
        content["figures"] = [FIGURE | {"kind": criterion, "arguments": arguments}]
    elif criterion:
        claim = {"id": "a", "source": "s", "claim": "c", "criterion": criterion}
        content["claims"] = [claim | {"arguments": arguments}]
    return StudyConfig.model_validate(content)
