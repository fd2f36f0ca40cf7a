"""experiments/benchmarks/peers: programs in processes of their own take turns."""

from __future__ import annotations

import pytest

from experiments.benchmarks.peers import rows
from experiments.benchmarks.peers.contender import Contender, seconds_of_an_update
from experiments.benchmarks.peers.work import Work, work_of
from experiments.errors import RunError

SMALL = ["task.size=20000", "execution.xla=off", "execution.iterations_per_loop=2"]


def test_the_work_of_an_experiment_is_its_shapes() -> None:
    work = work_of("r2rt_n5", SMALL, 1)
    assert (work.cell, work.layers, work.num_inputs) == ("scratch", [4], 2)
    assert (work.num_steps, work.batch_size, work.one_label) == (5, 200, False)
    assert Work.from_json(work.as_json()) == work
    assert work.config().execution.threads == 1


def test_a_contender_times_its_updates_in_a_process_of_its_own() -> None:
    work = work_of("r2rt_n5", SMALL, 1)
    (seconds,) = seconds_of_an_update([rows.AS_TRAINED], work, 2, 0.01)
    assert len(seconds) == 2
    assert all(0 < each < 1 for each in seconds)


def test_a_contender_that_cannot_do_the_work_names_its_reason() -> None:
    work = work_of("r2rt_n5", SMALL, 1)
    with pytest.raises(RunError, match=r"ours \(no such variant\): .*execution.xla"):
        seconds_of_an_update([Contender("ours", "no such variant")], work, 1, 0.01)


def test_what_jax_compiles_is_compiled_here_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` runs a short epoch without XLA where compiling takes longer than it saves."""
    asked = []

    def instead(contenders: list[Contender], *_: object) -> list[list[float]]:
        asked.append(contenders[0])
        return [[1.0]] * len(contenders)

    monkeypatch.setattr(rows, "find_spec", lambda name: name)
    monkeypatch.setattr(rows, "seconds_of_an_update", instead)
    monkeypatch.setattr(rows, "WIDE", [])
    assert len(list(rows.measure_peers())) == len(rows.NARROW)
    assert {contender.variant for contender in asked} == {"on"}


def test_a_peer_that_is_not_installed_is_a_row_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rows, "find_spec", lambda name: None)
    found = list(rows.measure_peers())
    assert len(found) >= len(rows.NARROW) + len(rows.WIDE)
    assert all(row.value is None for row in found)
    assert "jax is not installed (pip install -e '.[peers]')" in found[0].target
