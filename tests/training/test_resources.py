"""experiments/training/resources.py: which runs of one process share a graph."""

from __future__ import annotations

from pathlib import Path

from experiments.config.compose import load_config
from experiments.training.progress import QuietProgress
from experiments.training.resources import one_graph
from experiments.training.workload import make_workload


def test_a_run_with_another_vocabulary_has_a_graph_of_its_own(tmp_path: Path) -> None:
    """A run that is resumed with --data-changed keeps its own, and a new one beside it does not."""
    text = tmp_path / "text.txt"
    config = load_config(
        "text_python_docs",
        ["task.source=file", f"task.path={text}", "execution.xla=off", "model.state_size=2",
         "graph.batch_size=2", "graph.num_steps=3"],
    )  # fmt: skip
    workloads = []
    for symbols in ("ab", "abc", "ab"):
        text.write_text(symbols * 100)
        workloads.append(make_workload(config))
    shown = QuietProgress(tmp_path / "log.txt")
    with one_graph() as open_sessions:
        sessions = [open_sessions(config, each, shown, 1)[0] for each in workloads]
        columns = [each.variables()["model/softmax/W"].shape[1] for each in sessions]
    assert columns == [2, 3, 2]
    assert sessions[0] is sessions[2]
