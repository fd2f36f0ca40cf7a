"""The criterion on the entropy floors that the program computes."""

from __future__ import annotations

import pytest

from experiments.config.compose import load_config
from experiments.studies.planned import PlannedRun
from tests.studies.subjects.entries import check_on_lag_17, make


def test_what_is_expected_is_the_number() -> None:
    assert make("floor", run="a", known="none", expected=0.66, tolerance=0).expectation() == 0.66


def test_a_floor_that_a_run_will_not_have_is_named_before_it_is_trained() -> None:
    message = "one of the floors of run a, none, lag 17; got lag 71; did you mean 'lag 17'"
    with pytest.raises(ValueError, match=message):
        check_on_lag_17("floor", known="lag 71", expected=1, tolerance=1)


def test_a_task_without_its_files_is_checked_when_it_has_them() -> None:
    planned = {"a": PlannedRun("a", load_config("ptb_vanilla", ["task.path=no/such/file"]))}
    make("floor", run="a", known="anything", expected=1, tolerance=1).check(planned)
