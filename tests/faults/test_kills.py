"""Runs that are killed at random moments end as if they had not been.

Twenty kills by default. `make test-kills` asks for 1,000 by the environment variable RNN_KILLS, and
prints the counts.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.forks import Forks, open_forks
from tests.faults.kinds import KINDS, assert_same, make_folder

pytestmark = pytest.mark.faults

KILLS = int(os.environ.get("RNN_KILLS", 20))  # of all kinds together


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """The parent of the processes that are killed."""
    with open_forks() as opened:
        yield opened


@pytest.mark.timeout(60 + 30 * KILLS)
@pytest.mark.parametrize("name", KINDS)
def test_killed_runs_end_as_undisturbed_ones(name: str, tmp_path: Path, forks: Forks) -> None:
    kind, moments = KINDS[name], random.Random(name)
    undisturbed = make_folder(tmp_path / "undisturbed")
    whole = forks.run(kind.command(undisturbed))
    assert kind.is_complete(whole), whole
    kills, runs = 0, 0
    while kills < KILLS // len(KINDS):
        folder = make_folder(tmp_path / str(runs))
        while True:
            enough = kills >= KILLS // len(KINDS)
            moment = None if enough else moments.uniform(0, whole.seconds)
            ended = forks.run(kind.command(folder), moment)
            if ended.code is not None:
                break
            kills += 1
        assert kind.is_complete(ended), ended
        assert ended.err == ""
        assert_same(folder, undisturbed, kind)
        runs += 1
    print(f"{name}: {kills} kills of {runs} runs, which all ended as the undisturbed one")
