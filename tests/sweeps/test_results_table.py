"""experiments/sweeps/results_table.py: the table at the end of a sweep."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.config.compose import load_config
from experiments.sweeps.points import Point, Result
from experiments.sweeps.results_table import print_results


def test_the_table_has_a_line_for_each_point(capsys: pytest.CaptureFixture[str]) -> None:
    config = load_config("r2rt_n5")
    point = Point("graph.num_steps=5", (), config, Path("x"))
    two_seeds = point._replace(config=load_config("r2rt_n5", ["training.seeds=2"]))
    print_results(
        [
            Result(two_seeds, "complete", 0.51239, 24.68, ""),
            Result(point._replace(name="b"), "interrupted", None, 7.5, ""),
            Result(point._replace(name="c"), "missing", None, 0, ""),
        ]
    )
    assert capsys.readouterr().out.splitlines() == [
        "point              status         loss  seconds a seed",
        "-----------------  -----------  ------  --------------",
        "graph.num_steps=5  complete     0.5124            12.3",
        "b                  interrupted",
        "c                  missing",
    ]


def test_points_are_named_by_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    config = load_config("r2rt_n5")
    names = [f"graph.batch_size=20,graph.num_steps={steps},task.size=20000" for steps in (1, 5)]
    points = [Point(name, (), config, Path(name)) for name in names]
    print_results([Result(point, "complete", 0.5, 1.0, "") for point in points])
    assert capsys.readouterr().out.splitlines()[2:] == [
        "graph.num_steps=1  complete  0.5000             1.0",
        "graph.num_steps=5  complete  0.5000             1.0",
    ]
