"""A trained model as a checkpoint of TensorFlow 1: `tf.train.Saver` restores it.

FOLDER/model.ckpt.*   the variables, by the names that TensorFlow's own layers give them, and the
                      graph, for `tf.train.import_meta_graph`
FOLDER/endpoints.json the tensors of that graph to feed and to fetch
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from experiments.runs.directory import RunDirectory
from experiments.runs.files import make_output_folder, write_atomic
from experiments.training.evaluator import Evaluator
from experiments.training.session import shape_of
from experiments.training.text_model import task_of
from experiments.training.trained_weights import load_into, need_checkpoint
from rnn_graphs.graphs.evaluation import EvaluationGraph, build_evaluation_graph
from rnn_graphs.tf1 import tf

CHECKPOINT = "model.ckpt"
ENDPOINTS = "endpoints.json"


class Exported(NamedTuple):
    """The files of an exported model."""

    checkpoint: Path  # the prefix that Saver.restore takes
    endpoints: Path
    variables: dict[str, tuple[int, ...]]  # shapes by name


def export(directory: RunDirectory, out: Path, checkpoint: str) -> Exported:
    """Write the model of the run's first seed to `out`.

    A text that it was trained on is not needed. Raises RunError without a checkpoint.
    """
    config = directory.read_config()
    task = task_of(config, directory)
    found = need_checkpoint(directory, config.training.first_seed, checkpoint)
    with Evaluator(config, task) as evaluator:  # refuses weights that are not of this model
        load_into(evaluator, directory, found)
        names = evaluator.names
    make_output_folder(out, [ENDPOINTS])
    shape = shape_of(task, config.training.carry_state)
    evaluation = build_evaluation_graph(config.model, config.graph, shape)
    values = {name: found.variables[name] for name in names}
    _save(evaluation, values, out / CHECKPOINT)
    endpoints = json.dumps(_endpoints(evaluation), indent=2) + "\n"
    write_atomic(out / ENDPOINTS, endpoints)
    shapes = {name: value.shape for name, value in values.items()}
    return Exported(out / CHECKPOINT, out / ENDPOINTS, shapes)


def _save(evaluation: EvaluationGraph, values: dict[str, Any], path: Path) -> None:
    """Write values and graph with a Saver, which a copy of the finalized graph can hold."""
    graph = tf.train.export_meta_graph(graph=evaluation.graph)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.import_meta_graph(graph)
        variables = {variable.op.name: variable for variable in tf.global_variables()}
        for name, value in values.items():
            variables[name].load(value, session)
        tf.train.Saver(variables).save(session, str(path))


def _endpoints(evaluation: EvaluationGraph) -> dict[str, Any]:
    """The names of the tensors to feed and to fetch; a state is a list of its parts."""

    def names(nested: Any) -> list[str]:
        return [tensor.name for tensor in tf.nest.flatten(nested)]

    return {
        "inputs": evaluation.inputs.name,
        "lengths": evaluation.lengths.name,
        "batch_size": evaluation.batch_size.name,
        "first_state": names(evaluation.first_state),
        "state": names(evaluation.state),
        "final_state": names(evaluation.final_state),
        "logits": evaluation.logits.name,
        "probabilities": evaluation.probabilities.name,
    }
