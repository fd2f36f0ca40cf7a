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
from distributed import Worker

from experiments.interrupts import StopRequest
from experiments.sweeps.clusters import Cluster, open_cluster
from experiments.sweeps.engine import CallResult, call_all
from experiments.sweeps.messages import Message, Send


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with open_cluster("local", 2, 2, Path(), print) as opened:
        yield opened


def twice(item: int, send: Send) -> int:
    send({"item": item})
    if item < 0:
        raise ValueError(f"{item} is negative")
    return 2 * item


def dies_once(path: Path, _send: Send) -> str:
    """Kills its worker, unless the file is there."""
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def waits(path: Path, _send: Send) -> None:
    """Holds its worker until the file is there."""
    path.with_suffix(f".{os.getpid()}").touch()
    while not path.exists():
        time.sleep(0.01)


def call(cluster: Cluster, items: list[Any], function: Any = twice) -> list[CallResult[Any, Any]]:
    return list(call_all(cluster.client, function, items, lambda _: None, StopRequest()))


def test_every_item_ends_once_with_its_value(cluster: Cluster) -> None:
    results = call(cluster, list(range(20)))
    assert sorted(results) == [CallResult(item, 2 * item, "") for item in range(20)]


def test_equal_items_each_get_a_call(cluster: Cluster) -> None:
    assert call(cluster, [3, 3]) == [CallResult(3, 6, "")] * 2


def test_no_items_end_at_once(cluster: Cluster) -> None:
    assert call(cluster, []) == []


def test_a_call_that_raises_takes_no_other_with_it(cluster: Cluster) -> None:
    results = {each.item: each for each in call(cluster, [1, -1, 2])}
    assert results[-1] == CallResult(-1, None, "ValueError: -1 is negative")
    assert (results[1].value, results[2].value) == (2, 4)


def test_messages_of_calls_are_received(cluster: Cluster) -> None:
    received: list[Message] = []
    items = list(range(50))  # the last message may come after the last value
    list(call_all(cluster.client, twice, items, received.append, StopRequest()))
    sent = [message["item"] for message in received]
    assert 0 in sent
    assert set(sent) <= set(items)


def test_an_item_whose_worker_dies_goes_to_another(cluster: Cluster, tmp_path: Path) -> None:
    assert call(cluster, [tmp_path / "died"], dies_once) == [
        CallResult(tmp_path / "died", "done", "")
    ]  # fmt: skip


def test_a_request_to_stop_ends_it_without_the_rest(cluster: Cluster, tmp_path: Path) -> None:
    stop = StopRequest()
    items = [tmp_path / f"{number}" for number in range(6)]
    items[0].touch()
    ended = []
    for result in call_all(cluster.client, waits, items, lambda _: None, stop):
        ended.append(result.item)
        stop.request()
    for item in items:
        item.touch()  # frees the workers
    assert ended == items[:1]


def test_workers_wake_up_only_a_few_times_a_second(cluster: Cluster) -> None:
    """Training needs their cores; Dask's own watching of itself does not."""

    def intervals(dask_worker: Worker) -> dict[str, float]:
        return {name: pc.callback_time for name, pc in dask_worker.periodic_callbacks.items()}

    on_workers = cluster.client.run(intervals)
    assert on_workers
    for milliseconds in on_workers.values():
        assert "heartbeat" in milliseconds
        assert min(milliseconds.values()) >= 100, milliseconds


def test_it_listens_on_loopback_alone(cluster: Cluster) -> None:
    here = psutil.Process()
    addresses = {
        connection.laddr.ip
        for process in (here, *here.children(recursive=True))
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}
