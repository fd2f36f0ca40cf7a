"""experiments/sweeps/grid.py: grids in Hydra's sweep grammar."""

from __future__ import annotations

import pytest

from experiments.config.catalog import names
from experiments.errors import UsageError
from experiments.sweeps.grid import count_points, expand, grid_overrides


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a.b=1", ["1"]),
        ("a.b=1,5", ["1", "5"]),
        ("a.b=range(1,4)", ["1", "2", "3"]),
        ("a.b=range(0,1,0.25)", ["0.0", "0.25", "0.5", "0.75"]),
        ("a.b=choice(tanh,relu)", ["tanh", "relu"]),
        ("a.b=sort(3,1,2)", ["1", "2", "3"]),
        ("a.b=[64,32],4", ["[64,32]", "4"]),
        ("a.b=null,true", ["null", "true"]),
        ("a.b=1,1,2", ["1", "2"]),
    ],
)
def test_one_override_gives_its_values_as_train_takes_them(text: str, values: list[str]) -> None:
    assert expand([text]) == [(f"a.b={value}",) for value in values]


def test_several_give_every_combination_the_last_changing_fastest() -> None:
    assert expand(["a=1,2", "b=x", "c=3,4"]) == [
        ("a=1", "b=x", "c=3"),
        ("a=1", "b=x", "c=4"),
        ("a=2", "b=x", "c=3"),
        ("a=2", "b=x", "c=4"),
    ]


@pytest.mark.parametrize(
    "text",
    ["a=1", "a=1,2,3", "a=range(1,4)", "a=range(3)", "a=range(0,10,3)", "a=range(10,0,-4)",
     "a=range(0,1,0.3)", "a=choice(x,y)", "a={b:1},{b:2}", "a=range(5,1)"],
)  # fmt: skip
def test_points_are_counted_as_they_are_made(text: str) -> None:
    try:
        made = len(expand([text, "c=1,2"]))
    except UsageError:  # an empty range
        made = 0
    assert count_points([text, "c=1,2"]) == made


def test_a_large_grid_is_counted_without_being_made() -> None:
    assert count_points(["a=range(0,1000000000)", "b=range(0,1000000000)"]) == 10**18


def test_dictionaries_are_values() -> None:
    assert expand(["truncation={kind:full},{kind:tf_style,depth:18}"]) == [
        ("truncation={kind:full}",), ("truncation={kind:tf_style,depth:18}",),
    ]  # fmt: skip


def test_none_give_one_point_without_any() -> None:
    assert expand([]) == [()]


def test_glob_chooses_among_the_files_of_a_group() -> None:
    assert expand(["task=glob(*)"]) == [(f"task={name}",) for name in names("task")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a.b", "expected key=value"),
        ("a.b=interval(0,1)", r"a\.b: expected values that can be listed, got interval\(0,1\)"),
        ("a.b=range(1,1)", r"a\.b: no value in range\(1,1\)"),
        ("task=glob(x*)", r"task: no value in glob\(x\*\)"),
        ("a.b=range(1", "value not understood"),
        ("hydra.sweep=1,2", "hydra.sweep: unknown key"),
    ],
)
def test_what_cannot_be_listed_is_named(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        expand([text])


def test_a_grid_of_yaml_is_a_list_one_value_or_hydras_text() -> None:
    grid = {"a": [1, None, True, [4, 8], "two words"], "b": 0.5, "c": "range(0,2)"}
    assert expand(grid_overrides(grid, [])) == [
        (f"a={value}", "b=0.5", f"c={c}")
        for value in ("1", "null", "true", "[4,8]", "'two words'")
        for c in (0, 1)
    ]


def test_an_override_replaces_a_key_of_the_grid_or_adds_one() -> None:
    assert grid_overrides({"a": [1, 2], "b": [3, 4]}, ["b=5", "c=6,7"]) == [
        "a=1,2", "b=5", "c=6,7",
    ]  # fmt: skip
