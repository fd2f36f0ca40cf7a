"""Criteria on the least validation loss of the epochs."""

from __future__ import annotations

import pytest

from tests.studies.subjects.entries import check_on_lag_17


def test_a_run_that_will_not_be_validated_is_named_before_it_is_trained() -> None:
    with pytest.raises(ValueError, match="it has no validation loss"):
        check_on_lag_17("least_validation_loss", expected=1, tolerance=1)
