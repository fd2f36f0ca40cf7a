"""experiments/studies/registry.py: criteria and figures by their names in YAML."""

from __future__ import annotations

import pytest

from experiments.studies.registry import make_criterion


def test_an_unknown_criterion_is_named_with_the_nearest() -> None:
    message = "criterion: not known: final_los; did you mean 'final_loss'"
    with pytest.raises(ValueError, match=message):
        make_criterion("final_los", {})
