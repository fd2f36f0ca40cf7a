"""experiments/sweeps/engine.py on a real cluster of two workers, with calls that do little."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from experiments.interrupts import StopRequest
from experiments.sweeps.clusters import Cluster, open_cluster
from experiments.sweeps.engine import Called, call_all
from experiments.sweeps.messages import Tell


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with open_cluster("local", 2, 2, Path(), print) as opened:
        yield opened


def twice(item: int, tell: Tell) -> int:
    tell({"item": item})
    if item < 0:
        raise ValueError(f"{item} is negative")
    return 2 * item


def dies_once(path: Path, _tell: Tell) -> str:
    """Kills its worker, unless the file is there."""
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def waits(path: Path, _tell: Tell) -> None:
    """Holds its worker until the file is there."""
    path.with_suffix(f".{os.getpid()}").touch()
    while not path.exists():
        time.sleep(0.01)


def call(cluster: Cluster, items: list[Any], function: Any = twice) -> list[Called[Any, Any]]:
    return list(call_all(cluster.client, function, items, lambda _: None, StopRequest()))


def test_every_item_ends_once_with_its_value(cluster: Cluster) -> None:
    called = call(cluster, list(range(20)))
    assert sorted(called) == [Called(item, 2 * item, "") for item in range(20)]


def test_equal_items_are_called_each(cluster: Cluster) -> None:
    assert call(cluster, [3, 3]) == [Called(3, 6, "")] * 2


def test_no_items_end_at_once(cluster: Cluster) -> None:
    assert call(cluster, []) == []


def test_a_call_that_raises_takes_no_other_with_it(cluster: Cluster) -> None:
    called = {each.item: each for each in call(cluster, [1, -1, 2])}
    assert called[-1] == Called(-1, None, "ValueError: -1 is negative")
    assert (called[1].value, called[2].value) == (2, 4)


def test_what_calls_tell_is_heard(cluster: Cluster) -> None:
    heard: list[dict[str, Any]] = []
    items = list(range(50))  # the last message may come after the last value
    list(call_all(cluster.client, twice, items, heard.append, StopRequest()))
    told = [message["item"] for message in heard]
    assert 0 in told
    assert set(told) <= set(items)


def test_an_item_whose_worker_dies_goes_to_another(cluster: Cluster, tmp_path: Path) -> None:
    assert call(cluster, [tmp_path / "died"], dies_once) == [
        Called(tmp_path / "died", "done", "")
    ]  # fmt: skip


def test_a_request_to_stop_ends_it_without_the_rest(cluster: Cluster, tmp_path: Path) -> None:
    stop = StopRequest()
    items = [tmp_path / f"{number}" for number in range(6)]
    items[0].touch()
    ended = []
    for called in call_all(cluster.client, waits, items, lambda _: None, stop):
        ended.append(called.item)
        stop.request()
    for item in items:
        item.touch()  # frees the workers
    assert ended == items[:1]


def test_it_listens_on_loopback_alone(cluster: Cluster) -> None:
    here = psutil.Process()
    addresses = {
        connection.laddr.ip
        for process in (here, *here.children(recursive=True))
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}
