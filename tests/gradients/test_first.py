"""gradients/first.py against what one update of plain SGD does to the weights."""

from __future__ import annotations

import numpy as np
import pytest

from data.streams import training_stream
from experiments.config.compose import load_config
from experiments.gradients.first import first_gradient
from experiments.studies.subjects.padding_gradient import relative_error
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload

CAPTIONS = (
    "model.state_size=5", "graph.precision=float64", "execution.xla=off", "optimizer.kind=sgd",
    "optimizer.learning_rate=1", "optimizer.clip_norm=null",
)  # fmt: skip


@pytest.mark.parametrize("padding", ["mask", "none"])
def test_it_is_what_the_first_update_takes_from_the_weights(padding: str) -> None:
    config = load_config("captions", [*CAPTIONS, f"graph.padding={padding}"])
    work = make_workload(config)
    rows = work.draw(training_stream(3), config.graph.batch_size)
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(3)
        before = session.variables()
        session.train(rows.windows(0, 1, config.graph.num_steps), 1)
        after = session.variables()
    names = [name for name in before if name.startswith("model/")]
    taken = np.concatenate([(before[name] - after[name]).ravel() for name in names])
    np.testing.assert_allclose(first_gradient(config, 3), taken, rtol=0, atol=1e-12)


def test_padding_that_counts_changes_it() -> None:
    none, mask = (
        load_config("captions", [*CAPTIONS, f"graph.padding={one}"]) for one in ("none", "mask")
    )
    error = relative_error(none, mask, 0)
    estimate, gradient = first_gradient(none, 0), first_gradient(mask, 0)
    assert error == pytest.approx(
        ((estimate - gradient) ** 2).sum() ** 0.5 / (gradient**2).sum() ** 0.5
    )
    assert error > 1e-3
    assert relative_error(mask, mask, 0) == 0
