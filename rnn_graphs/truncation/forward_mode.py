"""The entries of STYLES that carry an influence, and with it credit, beyond the window.

Within a window, errors flow back as in `full`, except where an entry says otherwise. Before it,
M[t, s] says how much of ∂h_0/∂θ the style carries; s is negative there. If a style is no multiple
of the exact product of Jacobians, M is that of the probe in credit.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnn_graphs.truncation.style import Matrix, Steps, Style

if TYPE_CHECKING:
    from rnn_graphs.cell_layouts import RecurrentLayout
    from rnn_graphs.truncation.influence import Influence
    from rnn_graphs.truncation.step import Step, StepModel, Window
    from rnn_graphs.truncation.styles import TruncationConfig
    from rnn_graphs.unrolls import UnrollFunction

UNBOUNDED = 10**9  # the effective depth of errors that reach the start of the sequence


def _all_steps(t: Steps, s: Steps, _truncation: TruncationConfig, _num_steps: int) -> Matrix:
    return s <= t


def _step(
    model: StepModel, unroll: UnrollFunction, truncation: TruncationConfig, window: Window
) -> Step:
    from rnn_graphs.truncation.influence import step_with_influence

    assert truncation.style.influence is not None
    return step_with_influence(model, unroll, window, truncation.style.influence(truncation))


def _cuts_nothing(_truncation: TruncationConfig) -> bool:
    return False


def _unbounded(_truncation: TruncationConfig, _num_steps: int) -> int:
    return UNBOUNDED


def _rtrl(_truncation: TruncationConfig) -> Influence:
    from rnn_graphs.truncation.rtrl import Rtrl

    return Rtrl()


def _units_by_parameters(_truncation: TruncationConfig, layout: RecurrentLayout) -> int:
    return layout.units * layout.parameters


FORWARD_MODE: dict[str, Style] = {
    # Williams & Zipser 1989, in blocks of num_steps (Schmidhuber 1992).
    "rtrl": Style(
        _all_steps,
        _step,
        cuts=_cuts_nothing,
        effective_depth=_unbounded,
        influence=_rtrl,
        carried=_units_by_parameters,
    ),
}
