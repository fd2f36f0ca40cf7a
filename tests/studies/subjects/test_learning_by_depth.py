"""The figure of learning against depth: what is drawn is what the runs hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.handmade import finished_run
from tests.studies.subjects.entries import draw, points

SOON, LATE, NEVER = [0.6, 0.4, 0.4], [0.6, 0.6, 0.4], [0.6, 0.6, 0.6]


def test_by_depth_joins_the_runs_of_a_label(tmp_path: Path) -> None:
    depth = "truncation.kind=true_bptt", "truncation.depth="
    runs = {
        "deep": finished_run(
            tmp_path, "deep", [SOON, SOON], [True, True], [depth[0], depth[1] + "27"]
        ),
        "short": finished_run(
            tmp_path, "short", [NEVER, LATE], [False, True], [depth[0], depth[1] + "9"]
        ),
        "full": finished_run(tmp_path, "full", [LATE, LATE], [True, True]),
    }
    labels = {"deep": "true", "short": "true", "full": "full"}
    above, below = draw("by_depth", runs, labels=labels, lag=17).axes
    assert above.get_legend_handles_labels()[1] == ["true", "full"]
    shares = [points(line) for line in above.lines if line.get_marker() == "o"]
    np.testing.assert_array_equal(shares[0], [[8.75, 0.5], [26.75, 1]])
    np.testing.assert_array_equal(shares[1], [[54.25, 1]])
    medians = [points(line) for line in below.lines if line.get_marker() == "s"]
    np.testing.assert_array_equal(medians[0], [[26.75, 20]])  # of two seeds one did not learn at 9
    np.testing.assert_array_equal(medians[1], [[54.25, 30]])
    dots = [points(line) for line in below.lines if line.get_alpha()]
    for drawn, expected in zip(
        dots,
        (
            [[8.75, 30]],
            [[26.75, 20]] * 2,
            [[54.25, 30]] * 2,
        ),
        strict=True,
    ):
        np.testing.assert_array_equal(drawn, expected)


def test_by_depth_says_so_where_no_seed_learned(tmp_path: Path) -> None:
    runs = {"run": finished_run(tmp_path, "run", [NEVER, NEVER], [False, False])}
    _, below = draw("by_depth", runs, labels={"run": "full"}, lag=17).axes
    assert [text.get_text() for text in below.texts] == ["no seed learned"]
    assert not below.get_yticks().size
