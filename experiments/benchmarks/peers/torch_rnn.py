"""The same model in PyTorch, with its own recurrent layers: eager, or by `torch.compile`."""

from __future__ import annotations

from typing import Any

from experiments.benchmarks.peers.serve import Updates, serve
from experiments.benchmarks.peers.work import Work

VARIANTS = ("eager", "compile")
LAYERS = {"basic_rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}


def open_updates(work: Work, variant: str) -> Updates:
    """Updates with Adam and clipping, on random data; the state is carried where ours is."""
    assert work.optimizer == "adam", work.optimizer
    import torch

    torch.set_num_threads(work.threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(0)
    model = _model(work)
    run = torch.compile(model) if variant == "compile" else model
    optimizer = torch.optim.Adam(model.parameters())
    inputs, labels = _batch(work)
    carried: list[Any] = [None]

    def make() -> None:
        logits, state = run(inputs, carried[0])
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, -2), labels.flatten())
        optimizer.zero_grad()
        loss.backward()
        if work.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), work.clip_norm)
        optimizer.step()
        loss.item()
        if not work.one_label:
            carried[0] = _detached(state)

    return Updates(make, 1)


def _model(work: Work) -> Any:
    import torch
    from torch import nn

    class Model(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            width = work.embedding or work.num_inputs
            if work.embedding:
                self.embedding = nn.Embedding(work.num_inputs, width)
            layer, widths = getattr(nn, LAYERS[work.cell]), [width, *work.layers]
            self.layers = nn.ModuleList(
                [layer(into, size) for into, size in zip(widths[:-1], work.layers, strict=True)]
            )
            self.softmax = nn.Linear(work.layers[-1], work.num_classes)

        def forward(self, inputs: Any, state: Any) -> Any:
            x, states = self._encoded(inputs), []
            for number, layer in enumerate(self.layers):
                x = nn.functional.dropout(x, 1 - work.input_keep_prob)
                x, final = layer(x, None if state is None else state[number])
                x = nn.functional.dropout(x, 1 - work.output_keep_prob)
                states.append(final)
            return self.softmax(x[-1] if work.one_label else x), states

        def _encoded(self, inputs: Any) -> Any:
            if work.embedding:
                return self.embedding(inputs)
            if work.ids:
                return nn.functional.one_hot(inputs, work.num_inputs).to(torch.float32)
            return inputs

    return Model()


def _batch(work: Work) -> tuple[Any, Any]:
    """Random inputs, [time, batch, …], and labels, [time, batch] or [batch]."""
    import torch

    shape = (work.num_steps, work.batch_size)
    if work.ids:
        inputs = torch.randint(0, work.num_inputs, shape)
    else:
        inputs = torch.rand(*shape, work.num_inputs)
    return inputs, torch.randint(0, work.num_classes, shape[1:] if work.one_label else shape)


def _detached(state: Any) -> Any:
    if isinstance(state, list | tuple):
        return type(state)(_detached(each) for each in state)
    return state.detach()


if __name__ == "__main__":
    serve(open_updates)
