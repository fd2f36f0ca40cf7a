"""comparison/groups.py: keys that differ, names from them, seeds of one config together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments.comparison.groups import (
    Group,
    differing_keys,
    group_runs,
    labels_of,
    short_names,
    sort_key,
)
from experiments.config.flat import flatten, shown_value
from experiments.runs.found import find_runs
from experiments.runs.metrics import MetricsFile
from experiments.runs.run import Run
from tests.handmade import finished_run

WIDE, NARROW = "graph.num_steps=54", "graph.num_steps=18"


def seeds(first: int, count: int = 2) -> tuple[str, str]:
    return f"training.first_seed={first}", f"training.seeds={count}"


def run_of(
    folder: Path, name: str, *overrides: str, first: int = 0, losses: tuple[float, ...] = (0.5, 0.4)
) -> Run:
    """Two seeds of two rows each, `losses` their last ones."""
    rows = [[0.6, loss] for loss in losses]
    given = [*overrides, *seeds(first, len(losses))]
    return finished_run(folder, name, rows, overrides=given, first_seed=first)


def summary(run: Run, **values: Any) -> Run:
    """The run with another summary."""
    return Run(run.label, run.directory, run.config, values)


def test_flattening_names_mappings_in_lists_by_place() -> None:
    nested = {"a": {"b": 1, "c": [2, 3]}, "d": [{"lag": 3}, {"lag": 8}], "e": []}
    assert flatten(nested) == {"a.b": 1, "a.c": [2, 3], "d.0.lag": 3, "d.1.lag": 8, "e": []}


def test_a_key_that_is_missing_somewhere_differs() -> None:
    assert differing_keys([{"a": 1, "b": 2}, {"a": 1}]) == ["b"]


@pytest.mark.parametrize(
    "key",
    [
        "name", "training.seeds", "training.first_seed", "logging.metrics",
        "execution.memory_limit", "execution.iterations_per_loop",
    ],
)  # fmt: skip
def test_what_tells_nothing_about_a_seeds_curve_is_no_difference(key: str) -> None:
    assert differing_keys([{key: 1}, {key: 2}]) == []


def test_names_are_as_short_as_they_can_be() -> None:
    known = {"graph.num_steps", "truncation.kind", "optimizer.kind", "task.kind", "kind"}
    keys = ["graph.num_steps", "truncation.kind"]
    assert short_names(keys, known) == {
        "graph.num_steps": "num_steps",
        "truncation.kind": "truncation.kind",
    }


def test_names_leave_out_what_is_constant_or_null() -> None:
    values: list[dict[str, Any]] = [
        {"kind": "full", "depth": None, "size": 20},
        {"kind": "true_bptt", "depth": 4, "size": 20},
    ]
    assert labels_of([Group(each, []) for each in values]) == [
        "kind=full",
        "kind=true_bptt, depth=4",
    ]


def test_values_sort_by_size_then_text_then_nothing() -> None:
    assert sorted([None, "b", 10, 9.5, "a"], key=sort_key) == [9.5, 10, "a", "b", None]


def test_values_are_shown_as_yaml_has_them() -> None:
    assert [shown_value(v) for v in (True, None, [64, 32], 0.003)] == [
        "true", "null", "[64, 32]", "0.003",
    ]  # fmt: skip


def test_runs_that_differ_in_their_seeds_alone_are_one(tmp_path: Path) -> None:
    runs = [
        run_of(tmp_path, "a", WIDE),
        run_of(tmp_path, "b", NARROW),
        run_of(tmp_path, "c", WIDE, first=2, losses=(0.3, 0.2)),
    ]
    narrow, wide = group_runs(runs)
    assert (narrow.label, wide.label) == ("num_steps=18", "num_steps=54")
    assert wide.final_losses == {0: 0.5, 1: 0.4, 2: 0.3, 3: 0.2}
    assert wide.curves.losses.shape == (4, 2)
    assert (wide.planned, wide.status, wide.is_complete) == (4, "complete", True)


def test_the_lag_of_a_dependency_is_a_key(tmp_path: Path) -> None:
    runs = [run_of(tmp_path, lag, f"task.dependencies.0.lag={lag}") for lag in ("9", "17")]
    assert [group.label for group in group_runs(runs)] == ["lag=9", "lag=17"]


def test_equal_configs_are_named_by_the_experiment(tmp_path: Path) -> None:
    (group,) = group_runs([run_of(tmp_path, "a")])
    assert (group.label, group.values) == ("lag_17", {})


def test_of_runs_that_trained_alike_the_one_with_more_metrics_counts(tmp_path: Path) -> None:
    bare, measured = run_of(tmp_path, "a"), run_of(tmp_path, "b")
    rows = [row._replace(metrics={"accuracy": 0.9}) for row in measured.rows]
    file = MetricsFile(measured.directory.metrics)
    file.start()
    file.append(rows)
    for runs in ([bare, measured], [measured, bare]):
        (group,) = group_runs(find_runs([run.directory.path for run in runs]))
        assert {row.metrics["accuracy"] for row in group.rows[0]} == {0.9}


def test_a_seed_whose_rows_were_too_short_to_ask_counts_for_no_lag(tmp_path: Path) -> None:
    effects = [
        {"lag": 3, "model": 0.4, "learned": True}, {"lag": 8, "model": None, "learned": False},
    ]  # fmt: skip
    probe = [{"seed": 0, "effects": effects}, {"seed": 1, "effects": effects[1:]}]
    run = summary(run_of(tmp_path, "a"), status="complete", probe=probe)
    assert Group({}, [run]).learned == {3: (1, 1)}


def test_a_seed_in_two_runs_counts_once(tmp_path: Path) -> None:
    first, again = run_of(tmp_path, "a"), run_of(tmp_path, "b", losses=(0.9, 0.8))
    group = Group({}, [first, again])
    assert group.repeated == [0, 1]
    assert group.final_losses == {0: 0.5, 1: 0.4}


class TestSeedsThatDidNotEnd:
    def test_a_diverged_seed_is_in_the_curves_and_not_in_the_loss(self, tmp_path: Path) -> None:
        run = summary(
            run_of(tmp_path, "a"), status="diverged", seeds={"0": "complete", "1": "diverged"}
        )
        group = Group({}, [run])
        assert group.final_losses == {0: 0.5}
        assert group.curves.seeds == [0, 1]
        assert (group.status, group.is_complete) == ("diverged", False)

    @pytest.mark.parametrize(("missing", "finals"), [(0, {0: 0.5, 1: 0.4}), (1, {})])
    def test_while_a_run_goes_on_seeds_at_its_last_update_have_ended(
        self, missing: int, finals: dict[int, float], tmp_path: Path
    ) -> None:
        run = run_of(tmp_path, "a", losses=(0.5, 0.4))
        last = run.rows_by_seed[0][-1].updates
        group = Group({}, [summary(run, status="running", total_updates=last + missing)])
        assert group.final_losses == finals

    def test_statuses_that_differ_are_counted(self, tmp_path: Path) -> None:
        run = run_of(tmp_path, "a")
        group = Group({}, [run, summary(run), run])
        assert group.status == "2 complete, 1 not started"

    def test_a_run_without_any_row_is_there(self, tmp_path: Path) -> None:
        run = run_of(tmp_path, "a")
        run.directory.metrics.unlink()
        group = Group({}, [Run("a", run.directory, run.config, {})])
        assert (group.final_losses, group.rows, group.status) == ({}, {}, "not started")
        assert group.seconds_a_seed is None
