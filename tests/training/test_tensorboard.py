"""experiments/training/tensorboard.py: what TensorBoard shows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from tensorboard.backend.event_processing.event_accumulator import (
    EventAccumulator,
)
from tensorboard.plugins.hparams.metadata import (
    SESSION_START_INFO_TAG,
    parse_session_start_info_plugin_data,
)

from experiments.runs.metrics import MetricsRow
from experiments.training.tensorboard import Events, write_floors
from tests.conftest import shown_by_tensorboard, small_config


def rows_at(updates: range) -> list[MetricsRow]:
    return [MetricsRow(3, 1, update, update, 0.0, "train", update / 8) for update in updates]


def write(directory: Path, before: range, updates: range) -> None:
    events = Events(directory, 3, rows_at(before))
    events.write(rows_at(updates))
    events.close()


def steps(directory: Path) -> list[int]:
    return [step for step, _ in shown_by_tensorboard(directory / "seed-3")]


def test_rows_are_scalars_against_updates(tmp_path: Path) -> None:
    write(tmp_path, range(0), range(1, 4))
    assert shown_by_tensorboard(tmp_path / "seed-3") == [(1, 0.125), (2, 0.25), (3, 0.375)]


def test_a_seed_that_resumes_replaces_what_was_there(tmp_path: Path) -> None:
    write(tmp_path, range(0), range(1, 6))
    write(tmp_path, range(1, 3), range(3, 8))
    assert steps(tmp_path) == list(range(1, 8))
    assert len(list((tmp_path / "seed-3").iterdir())) == 1


def test_so_it_does_where_the_clock_is_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, range(0), range(1, 6))
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    write(tmp_path, range(1, 3), range(3, 8))
    assert steps(tmp_path) == list(range(1, 8))


def test_so_it_does_where_the_earlier_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, range(0), range(1, 6))

    def refuse(_path: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "unlink", refuse)
    write(tmp_path, range(1, 3), range(3, 8))
    assert len(list((tmp_path / "seed-3").iterdir())) == 2
    assert steps(tmp_path) == list(range(1, 8))


def test_rows_can_be_read_before_the_events_are_closed(tmp_path: Path) -> None:
    events = Events(tmp_path, 3, rows_at(range(1, 3)))
    events.write(rows_at(range(3, 5)))
    assert steps(tmp_path) == [1, 2, 3, 4]
    events.close()


def test_metrics_are_scalars_under_their_tags(tmp_path: Path) -> None:
    events = Events(tmp_path, 0, [])
    row = MetricsRow(0, 1, 100, 5000, 1.0, "train", 0.5, {"accuracy": 0.75, "gradient_norm": 2.0})
    validation = row._replace(split="valid", metrics={"accuracy": 0.25})
    events.write([row, row._replace(updates=200, metrics={}), validation])
    events.close()
    seed = tmp_path / "seed-0"
    assert shown_by_tensorboard(seed) == [(100, 0.5), (200, 0.5)]
    assert shown_by_tensorboard(seed, "accuracy/train") == [(100, 0.75)]
    assert shown_by_tensorboard(seed, "gradient_norm/train") == [(100, 2.0)]
    assert shown_by_tensorboard(seed, "accuracy/valid") == [(100, 0.25)]


def test_the_config_is_text(tmp_path: Path) -> None:
    events = Events(tmp_path, 0, [])
    config = small_config("graph.num_steps=7")
    events.describe(config, "r2rt_n5/one")
    events.close()
    (event,) = loaded(tmp_path / "seed-0").Tensors("config")
    text = event.tensor_proto.string_val[0].decode()
    assert yaml.safe_load(text.strip("`")) == config.as_dict()


def test_its_values_are_hyperparameters_of_one_group(tmp_path: Path) -> None:
    for seed in (0, 1):
        events = Events(tmp_path, seed, [])
        events.describe(small_config("model.state_size=[8,4]"), "r2rt_n5/one")
        events.close()
    for seed in (0, 1):
        metadata = loaded(tmp_path / f"seed-{seed}").SummaryMetadata(SESSION_START_INFO_TAG)
        session = parse_session_start_info_plugin_data(metadata.plugin_data.content)
        assert session.group_name == "r2rt_n5/one"
        assert session.hparams["graph.num_steps"].number_value == 5
        assert session.hparams["model.cell"].string_value == "scratch"
        assert session.hparams["model.state_size"].string_value == "[8, 4]"
        assert session.hparams["logging.tensorboard"].bool_value is True
        assert session.hparams["model.embedding"].string_value == "null"


def test_each_floor_is_a_curve_beside_the_losses(tmp_path: Path) -> None:
    for _ in range(2):  # a resumed run writes no second one
        write_floors(tmp_path, {"none": 0.75, "lag 3 + lag 8": 0.5}, 400)
    assert shown_by_tensorboard(tmp_path / "floor_none") == [(0, 0.75), (400, 0.75)]
    assert shown_by_tensorboard(tmp_path / "floor_lag_3_+_lag_8") == [(0, 0.5), (400, 0.5)]
    assert len(list(tmp_path.rglob("*tfevents*"))) == 2


@pytest.mark.parametrize("name", ["ü 😀", os.fsdecode(b"\xff")])
def test_a_folder_may_have_any_name(name: str, tmp_path: Path) -> None:
    write_floors(tmp_path / name, {"none": 0.75}, 400)
    assert len(list(tmp_path.rglob("*.floor"))) == 1


def test_a_floor_that_could_not_be_written_is_written_later(tmp_path: Path) -> None:
    (tmp_path / "floor_none").mkdir()  # all that a kill or a full disk left
    write_floors(tmp_path, {"none": 0.75}, 400)
    assert shown_by_tensorboard(tmp_path / "floor_none") == [(0, 0.75), (400, 0.75)]


def loaded(events: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(events))
    accumulator.Reload()
    return accumulator
