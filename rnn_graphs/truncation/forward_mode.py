"""The entries of STYLES that carry an influence, and with it credit, beyond the window.

Within a window, errors flow back as in `full`, except where an entry says otherwise. Before it,
M[t, s] says how much of ∂h_0/∂θ the style carries; s is negative there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnn_graphs.cells.traits import CELLS
from rnn_graphs.truncation.style import (
    Matrix,
    Model,
    Steps,
    Style,
    Truncation,
    all_steps,
    cuts_nothing,
)

if TYPE_CHECKING:
    from rnn_graphs.cells.layouts import RecurrentLayout
    from rnn_graphs.truncation.influence import Influence
    from rnn_graphs.truncation.step import Step, StepModel, Window
    from rnn_graphs.unrolls import UnrollFunction

UNBOUNDED = 10**9  # the effective depth of errors that reach the start of the sequence


def check_layout(kind: str, model: Model) -> None:
    """Raise ValueError, naming the key, if cells/layouts.py does not describe the model."""
    if model.traits.layout is None or model.traits.derivatives is None:
        users = ", ".join(name for name, cell in CELLS.items() if cell.layout)
        raise ValueError(
            f"model.cell: {kind} needs to know what each weight reaches; expected one of {users}; "
            f"got {model.cell}"
        )
    unknown = {
        "layer_norm": model.layer_norm,
        "decoder": model.decoder == "own",
        "train_embedding": model.embedding is not None and not model.train_embedding,
    }
    for key, given in unknown.items():
        if given:
            raise ValueError(
                f"model.{key}: {kind} knows what each weight reaches only without it; "
                f"got {getattr(model, key)}"
            )


def _step(model: StepModel, unroll: UnrollFunction, truncation: Truncation, window: Window) -> Step:
    from rnn_graphs.truncation.influence import step_with_influence

    assert truncation.style.influence is not None
    rule = truncation.style.influence(truncation, model, int(window.labels.shape[0]))
    return step_with_influence(model, unroll, window, rule)


def _unbounded(_truncation: Truncation, _num_steps: int) -> int:
    return UNBOUNDED


def _rtrl(_truncation: Truncation, model: StepModel, num_steps: int) -> Influence:
    from rnn_graphs.truncation.rtrl import rtrl

    return rtrl(model, num_steps)


def _units_by_parameters(_truncation: Truncation, layout: RecurrentLayout) -> int:
    return layout.units * layout.parameters


# rflo


def _fading(t: Steps, s: Steps, truncation: Truncation, _num_steps: int) -> Matrix:
    assert truncation.leak is not None
    return np.asarray(truncation.leak ** np.maximum(t - s, 0).astype(float))


def _rflo(truncation: Truncation, _model: StepModel, _num_steps: int) -> Influence:
    from rnn_graphs.truncation.rflo import Rflo

    assert truncation.leak is not None
    return Rflo(truncation.leak)


def _entries_of_one_application(_truncation: Truncation, layout: RecurrentLayout) -> int:
    return layout.count_colors(1) * layout.parameters


def _output_is_the_state(_truncation: Truncation, model: Model) -> None:
    if model.output_keep_prob < 1:
        raise ValueError(
            "model.output_keep_prob: rflo takes errors from the output to the state, which "
            f"dropout sets apart; expected 1, got {model.output_keep_prob:g}"
        )


# snap


def _paths_inside_the_mask(_t: Steps, s: Steps, truncation: Truncation, _num_steps: int) -> Matrix:
    """Of the probe: order 1 loses half at each step before the window; order 2 keeps all."""
    assert truncation.order is not None
    lost = np.where((s < 0) & (truncation.order == 1), -1 - s, 0)
    return np.asarray(0.5 ** lost.astype(float))


def _snap(truncation: Truncation, _model: StepModel, _num_steps: int) -> Influence:
    from rnn_graphs.truncation.snap import Snap

    assert truncation.order is not None
    return Snap(truncation.order)


def _entries_in_the_mask(truncation: Truncation, layout: RecurrentLayout) -> int:
    assert truncation.order is not None
    return layout.count_colors(truncation.order) * layout.parameters


# uoro and kf_rtrl


def _uoro(_truncation: Truncation, _model: StepModel, _num_steps: int) -> Influence:
    from rnn_graphs.truncation.uoro import Uoro

    return Uoro()


def _units_and_parameters(_truncation: Truncation, layout: RecurrentLayout) -> int:
    return layout.units + layout.parameters


def _kf_rtrl(_truncation: Truncation, _model: StepModel, _num_steps: int) -> Influence:
    from rnn_graphs.truncation.kf_rtrl import KroneckerFactored

    return KroneckerFactored()


def _both_factors(_truncation: Truncation, layout: RecurrentLayout) -> int:
    return layout.parameters // layout.units + layout.units**2


def _is_one_product(_truncation: Truncation, model: Model) -> None:
    if not model.traits.one_product or model.activation == "crelu":
        users = ", ".join(name for name, cell in CELLS.items() if cell.one_product)
        raise ValueError(
            "model.cell: kf_rtrl is for a cell f([x, h] W + b) with one value a unit, "
            f"{users} without crelu; got {model.cell}"
        )
    if len(model.state_sizes) > 1:
        raise ValueError(
            f"model.state_size: kf_rtrl is for a single layer; got {len(model.state_sizes)}"
        )
    if model.embedding is not None:
        raise ValueError(
            "model.embedding: kf_rtrl has factors for the cell's weights alone; expected null, "
            f"got {model.embedding}"
        )


FORWARD_MODE: dict[str, Style] = {
    # Williams & Zipser 1989, in blocks of num_steps (Schmidhuber 1992).
    "rtrl": Style(
        all_steps,
        _step,
        cuts=cuts_nothing,
        effective_depth=_unbounded,
        influence=_rtrl,
        carried=_units_by_parameters,
    ),
    # Murray 2019; Bellec et al. 2020 (e-prop).
    "rflo": Style(
        _fading,
        _step,
        needs=("leak",),
        effective_depth=_unbounded,
        approximate=True,
        influence=_rflo,
        compared_beyond=({"leak": 0.5},),
        xla_pays=False,
        carried=_entries_of_one_application,
        check_model=_output_is_the_state,
    ),
    # Menick et al. 2020 (SnAp-n).
    "snap": Style(
        _paths_inside_the_mask,
        _step,
        needs=("order",),
        cuts=cuts_nothing,
        effective_depth=_unbounded,
        approximate=True,
        influence=_snap,
        compared_beyond=({"order": 1},),
        xla_pays=False,
        carried=_entries_in_the_mask,
    ),
    # Tallec & Ollivier 2018.
    "uoro": Style(
        all_steps,
        _step,
        cuts=cuts_nothing,
        effective_depth=_unbounded,
        influence=_uoro,
        compared_beyond=({},),
        xla_pays=False,
        carried=_units_and_parameters,
        random_beyond_window=True,
    ),
    # Mujika, Meier & Steger 2018.
    "kf_rtrl": Style(
        all_steps,
        _step,
        cuts=cuts_nothing,
        effective_depth=_unbounded,
        influence=_kf_rtrl,
        compared_beyond=({},),
        xla_pays=False,
        carried=_both_factors,
        check_model=_is_one_product,
        random_beyond_window=True,
    ),
}
