"""config/yaml_file.py: one reading of YAML, the same as that of the command line."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from experiments.config.compose import load_config, parse_override
from experiments.config.schema import Config
from experiments.config.yaml_file import dump_yaml, read_yaml
from experiments.errors import UsageError
from experiments.paths import CONFIGS
from experiments.runs.directory import RunDirectory
from experiments.studies.spec import load_study
from experiments.sweeps.grid import expand, grid_overrides
from experiments.sweeps.sweep import load_points

SPELLINGS = (
    "0", "-0", "+5", "-5", "010", "-010", "00", "0_1", "1_000", "1__0", "1_", "0x1F", "0b11",
    "0o17", "1:30", "190:20:30.15", ".5", "5.", "-.5", "+.5", "00.5", "1_000.5", "1.0.0",
    "1e6", "1E6", "1e+6", "1e-3", "1.5e3", "1.e3", "12e03", "1e400", "1e", "1e1_0", "inf",
    "-inf", ".inf", "nan", "NaN", ".nan", "true", "True", "FALSE", "yes", "no", "on", "off",
    "y", "null", "Null", "None", "2001-01-01", "2001-01-01T00:00:00", "a:b", "'5'", '"1e6"',
    "'true'", "word",
)  # fmt: skip


def read(folder: Path, content: str | bytes) -> Any:
    path = folder / "file.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_yaml(path)


def error_of(folder: Path, content: str | bytes) -> str:
    with pytest.raises(UsageError) as caught:
        read(folder, content)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder / "file.yaml") in message
    return message


def same(one: Any, other: Any) -> bool:
    both_nan = isinstance(one, float) and isinstance(other, float) and math.isnan(one * other)
    return type(one) is type(other) and (one == other or both_nan)


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_scalar_is_the_same_in_a_file_in_an_override_and_in_a_grid(
    text: str, tmp_path: Path
) -> None:
    value = read(tmp_path, f"key: {text}\nlist: [{text}]\n")
    override = parse_override(f"key={text}").value()
    assert same(value["key"], override)
    assert same(value["list"][0], override)
    (point,) = expand(grid_overrides({"key": value["list"]}, []))
    assert same(parse_override(point[0]).value(), override)


@pytest.mark.parametrize(
    ("text", "size"), [("1e4", 10_000), ("010", 10), ("1_000", 1000), ("1:30", None)]
)
def test_a_config_has_the_same_number_by_each_way(
    text: str, size: int | None, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"graph: {{batch_size: {text}}}\n")
    sweep = tmp_path / "sweep.yaml"
    sweep.write_text(f"description: d\nexperiment: r2rt_n5\ngrid: {{graph.batch_size: [{text}]}}\n")
    ways: tuple[Callable[[], Config], ...] = (
        lambda: load_config(str(mine)),
        lambda: load_config("r2rt_n5", [f"graph.batch_size={text}"]),
        lambda: load_points(str(sweep), [])[0].config,
    )
    for way in ways:
        if size is None:
            with pytest.raises(UsageError, match=r"graph\.batch_size: .*'1:30'"):
                way()
        else:
            assert way().graph.batch_size == size


@pytest.mark.parametrize(
    ("content", "key", "lines"),
    [
        ("a: 1\nb: 2\na: 3\n", "a", (1, 3)),
        ("graph:\n  num_steps: 1\n  num_steps: 2\n", "graph.num_steps", (2, 3)),
        ("a: {b: 1, c: 2,\n b: 3}\n", "a.b", (1, 2)),
        ("a: [{b: 1},\n {c: 1, c: 2}]\n", "a.1.c", (2, 2)),
        ('a: 1\n"a": 2\n', "a", (1, 2)),
        ("graph: {num_steps: 1}\nmodel: {}\ngraph: {batch_size: 2}\n", "graph", (1, 3)),
    ],
)
def test_a_key_given_twice_is_an_error_with_both_lines(
    content: str, key: str, lines: tuple[int, int], tmp_path: Path
) -> None:
    message = error_of(tmp_path, content)
    assert f": {key}: given on line {lines[0]} and again on line {lines[1]};" in message


TWICE = "description: one\ndescription: two\n"


def test_every_file_that_is_read_has_each_key_once(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(TWICE)
    for use in (
        lambda: load_config(str(path)),
        lambda: load_points(str(path), []),
        lambda: load_study(str(path)),
        RunDirectory(tmp_path).read_config,
    ):
        with pytest.raises(UsageError, match=r"description: given on line 1 and again on line 2"):
            use()


@pytest.mark.parametrize("folder", ["", "task", "experiment"])
def test_a_shipped_file_with_a_key_twice_is_refused(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = copied_configs(tmp_path, monkeypatch)
    name = {"": "base", "task": "binary_dependency", "experiment": "r2rt_n5"}[folder]
    path = configs / folder / f"{name}.yaml"
    path.write_text(path.read_text("utf-8") + "\nzzz: 1\nzzz: 2\n", "utf-8")
    with pytest.raises(UsageError, match=rf"{name}\.yaml, line \d+: zzz: given on line"):
        load_config("r2rt_n5")


def copied_configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of configs/ that the program reads in place of its own."""
    import shutil

    from experiments.config import catalog, compose

    configs = tmp_path / "configs"
    shutil.copytree(CONFIGS, configs)
    for module in (catalog, compose):
        monkeypatch.setattr(module, "CONFIGS", configs)
    return configs


def test_an_own_experiment_is_read_as_a_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = "description: d\ngraph: {num_steps: 010, batch_size: 1e1}\n"
    mine = tmp_path / "mine.yaml"
    mine.write_text(content)
    configs = copied_configs(tmp_path, monkeypatch)
    (configs / "experiment" / "mine.yaml").write_text(content)
    own, shipped = load_config(str(mine)), load_config("mine")
    assert (own.graph.num_steps, own.graph.batch_size) == (10, 10)
    assert own == shipped


@pytest.mark.parametrize(("text", "size"), [("010", 10), ("1e3", 1000), ("1_000", 1000)])
def test_base_and_task_are_read_as_experiments_are(
    text: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = copied_configs(tmp_path, monkeypatch)
    for path, key in (
        (configs / "base.yaml", "batch_size"),
        (configs / "task" / "copy_memory.yaml", "blanks"),
    ):
        written = re.sub(rf"(?m)^( *{key}): .*", rf"\1: {text}", path.read_text("utf-8"))
        path.write_text(written, "utf-8")
    config = load_config("r2rt_n1", ["task=copy_memory"])
    assert (config.graph.batch_size, config.as_dict()["task"]["blanks"]) == (size, size)
    path = configs / "base.yaml"
    path.write_text(path.read_text("utf-8").replace(f"batch_size: {text}", "batch_size: 1:30"))
    with pytest.raises(UsageError, match=r"graph\.batch_size: .*'1:30'"):
        load_config("r2rt_n1")


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_files_mean_the_same_to_hydra(path: Path) -> None:
    content = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    assert read_yaml(path) == content


ALIASES = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a: &a [*a]\n", "an alias stands inside of what it stands for"),
        (ALIASES, "expected at most 200,000 values, aliases included"),
        ("a: !!timestamp 2001-01-01\n", "could not determine a constructor"),
        ("a: !!binary aGk=\n", "could not determine a constructor"),
        ("a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
        ("a: !!int five\n", "not a number: 'five'"),
        ("a: " + "9" * 5000 + "\n", "not a number: '9999"),
        ("a: " + "x" * (1 << 20), "expected at most 1,048,576 bytes of YAML"),
    ],
)
def test_a_file_that_is_no_config_is_refused(content: str, reason: str, tmp_path: Path) -> None:
    assert reason in error_of(tmp_path, content)


def test_a_byte_order_mark_is_no_part_of_a_key(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbfname: x\n") == {"name": "x"}


def test_anchors_and_merges_work(tmp_path: Path) -> None:
    content = "one: &one {a: 1, b: 2}\ntwo: {<<: *one, b: 3}\nthree: *one\n"
    assert read(tmp_path, content)["two"] == {"a": 1, "b": 3}


@pytest.mark.parametrize(
    "text", [*SPELLINGS, "1e6", "INF", "=", "<<", "~", "", " x", "a\nb", "{", "- a"]
)
def test_text_is_written_so_that_it_stays_text(text: str, tmp_path: Path) -> None:
    written = dump_yaml({"b": text, "a": [text]})
    assert read(tmp_path, written) == {"b": text, "a": [text]}
    assert yaml.safe_load(written) == {"b": text, "a": [text]}


@given(value=st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(
    st.characters(exclude_categories=["Cs"])))  # fmt: skip
def test_every_value_reads_back(value: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert same(read(tmp_path_factory.getbasetemp(), dump_yaml({"a": value}))["a"], value)
