"""Seeds until decided: batches of seeds, looks, and what is trained for which claim."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from experiments.config.compose import load_config
from experiments.errors import Interrupted, UsageError
from experiments.runs.run import read_run
from experiments.studies import study
from experiments.studies.batches import BatchedRun, as_one, batch_of, parts_of
from experiments.studies.looks import Budget, Looks, planned_looks
from experiments.studies.points import last_of_each_key
from experiments.studies.study import ReproduceOptions, reproduce
from experiments.sweeps.points import Point, Result
from tests.handmade import finished_run

SEEDS = 4
FIRST = ("training.first_seed=0", f"training.seeds={SEEDS}")
RUNS = {
    name: {"experiment": "lag_17", "overrides": [*FIRST, f"graph.num_steps={n}"]}
    for name, n in {"clear": 54, "close": 36, "other": 27}.items()
}


def lowers(name: str, against: str) -> dict[str, Any]:
    arguments = {"run": name, "against": against}
    words = {"id": name, "source": "s", "claim": "c"}
    return words | {"criterion": "lowers_loss", "arguments": arguments}


Trained = list[list[str]]


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trained:
    """Work in an empty folder, train by hand, and list what each call trained."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(
        yaml.safe_dump(
            {
                "description": "d",
                "title": "t",
                "runs": RUNS,
                "claims": [lowers("close", "other"), lowers("clear", "other")],
            }
        ),
        "utf-8",
    )
    calls: Trained = []
    monkeypatch.setattr(study, "train_missing", trainer(calls))
    return calls


def loss_of(run: str, seed: int) -> float:
    """`clear` is far below `other`; `close` is a little below in seeds of the third batch on."""
    noise = float(np.random.default_rng([seed, sum(run.encode())]).normal(0, 1e-3))
    return {"clear": 0.41, "close": 0.44 - (seed >= 2 * SEEDS) * 0.02, "other": 0.44}[run] + noise


def trainer(calls: Trained) -> Callable[..., list[Result]]:
    def train(
        points: Sequence[Point], _where: str, _workers: int | None, _data_changed: bool
    ) -> list[Result]:
        calls.append([point.name for point in points])
        for point in points:
            if not point.directory.exists():
                run, seeds = point.name.split(",")[0], point.config.seeds
                finished_run(
                    point.directory.parent, point.directory.name,
                    [[loss_of(run, seed)] for seed in seeds],
                    overrides=point.overrides, first_seed=seeds[0],
                )  # fmt: skip
        return [Result(point, "complete", 0.4, 1.0, "") for point in points]

    return train


def claims() -> dict[str, dict[str, Any]]:
    rows = json.loads(Path("reports/mine/claims.json").read_text("utf-8"))
    return {row["id"]: row for row in rows}


UNTIL = ReproduceOptions(budget=Budget(max_seeds=6 * SEEDS, max_seconds=None))


def test_seeds_are_added_for_the_claims_that_are_open(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reproduce("mine.yaml", UNTIL) == 0
    assert trained[0] == ["clear", "close", "other"]
    assert trained[1] == ["close, seeds 4 to 7", "other, seeds 4 to 7"]
    assert len(trained) == 4  # p = 0.002, below 0.05 / 6; at the third look it was 0.04
    found = claims()
    assert (found["clear"]["seeds"], found["clear"]["verdict"]) == (4, "holds")
    assert (found["close"]["seeds"], found["close"]["verdict"]) == (4 * len(trained), "holds")
    assert found["close"]["p"] <= 0.05 / 6
    said = capsys.readouterr().out
    assert f"{len(trained)} of at most 6, each at the level 0.00833" in said
    assert "report: reports/mine/report.html" in said


def test_the_same_command_takes_the_same_looks_again(trained: Trained) -> None:
    reproduce("mine.yaml", UNTIL)
    first, calls = claims(), list(trained)
    trained.clear()
    reproduce("mine.yaml", UNTIL)
    assert (claims(), trained) == (first, calls)


def test_looks_end_where_no_seeds_or_time_are_left(trained: Trained) -> None:
    assert reproduce("mine.yaml", ReproduceOptions(budget=Budget(2 * SEEDS, None))) == 1
    assert len(trained) == 2
    assert claims()["close"]["verdict"] == "undecided"
    trained.clear()
    reproduce("mine.yaml", ReproduceOptions(budget=Budget(6 * SEEDS, 1e-9)))
    assert len(trained) == 1


def test_a_stop_between_looks_reports_the_looks_so_far(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = trainer(trained)

    def stop_second(
        points: Sequence[Point], where: str, workers: int | None, data_changed: bool
    ) -> list[Result]:
        if trained:
            raise Interrupted("stopped")
        return train(points, where, workers, data_changed)

    monkeypatch.setattr(study, "train_missing", stop_second)
    with pytest.raises(Interrupted):
        reproduce("mine.yaml", UNTIL)
    assert {row["verdict"] for row in claims().values()} == {"holds", "undecided"}


def test_without_the_option_there_is_one_look_at_five_percent(trained: Trained) -> None:
    assert reproduce("mine.yaml", ReproduceOptions()) == 1
    assert len(trained) == 1


def test_the_looks_are_planned_before_the_first() -> None:
    config = load_config("lag_17", ["training.seeds=10"])
    points = [Point("a", (), config, Path("a"))]
    assert planned_looks(points, None) == 1
    assert planned_looks(points, Budget(None, None)) == 4
    assert planned_looks(points, Budget(35, None)) == 3
    with pytest.raises(UsageError, match="--seeds-until decided: the study trains no runs"):
        planned_looks([], Budget(None, None))
    with pytest.raises(UsageError, match=r"--max-seeds: the study begins with 10 seeds, .* got 9"):
        planned_looks(points, Budget(9, None))


def test_a_batch_is_the_run_with_the_next_seeds() -> None:
    overrides = ("training.first_seed=1", "training.seeds=3")
    config = load_config("lag_17", overrides)
    directory = Path("runs/lag_17/training.first_seed=1,training.seeds=3")
    batch = batch_of(Point("a", overrides, config, directory), 2)
    assert list(batch.config.seeds) == [7, 8, 9]
    assert batch.overrides == ("training.seeds=3", "training.first_seed=7")
    assert batch.directory == Path("runs/lag_17/training.first_seed=7,training.seeds=3")
    assert load_config("lag_17", batch.overrides) == batch.config
    named = batch_of(Point("a", (), config, Path("elsewhere/mine")), 1)
    assert named.directory == Path("elsewhere/mine,training.first_seed=4")


def test_batches_are_read_as_one_run(tmp_path: Path) -> None:
    parts = []
    for place in range(2):
        changes = ["training.seeds=2", f"training.first_seed={2 * place}"]
        losses = [[0.4 + place / 100], [0.5]]
        made = finished_run(
            tmp_path, f"b{place}", losses, [True, bool(place)], changes, first_seed=2 * place
        )
        made.summary["validation"] = {"per_seed": {str(2 * place): 0.7 + place}}
        parts.append(made)
    run = as_one(parts)
    assert run.final_losses == pytest.approx({0: 0.4, 1: 0.5, 2: 0.41, 3: 0.5})
    assert (list(run.config.seeds), len(run.learned_seeds(17))) == ([0, 1, 2, 3], 3)
    assert run.least_validation_losses == [0.7, 1.7]
    assert run.onsets[2].learned
    assert isinstance(run, BatchedRun)
    assert list(parts_of(run)) == parts
    single = read_run(tmp_path / "b0")
    assert as_one([single]) is single
    assert list(parts_of(single)) == [single]


def test_a_later_override_replaces_an_earlier_one() -> None:
    changes = last_of_each_key("training.seeds=10", "task.size=5", "training.seeds=2")
    assert changes == ("training.seeds=2", "task.size=5")


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "no claim is undecided."), (1, "1 claim is undecided."), (2, "2 claims are undecided.")],
)
def test_what_is_left_is_counted(count: int, expected: str) -> None:
    claims = {
        str(place): SimpleNamespace(verdict="undecided" if place < count else "holds")
        for place in range(3)
    }
    looks = Looks([], 4, None, {}, {}, claims=claims)  # type: ignore[arg-type]
    assert looks.describe().endswith(expected)
