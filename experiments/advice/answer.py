"""The advice in three lines, and as JSON values."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from experiments.advice.analysis import PilotAnalysis
from experiments.advice.choice import Candidate, Choice
from experiments.advice.pilot import Pilot
from experiments.config.schema import Config
from experiments.runs.provenance import code_digest
from experiments.statistics.intervals import Interval


class Advice(NamedTuple):
    """Everything that `advise` found."""

    config: Config
    tolerance: float
    carries_state: bool
    pilot: Pilot
    analysis: PilotAnalysis  # its candidates are timed
    choice: Choice

    @property
    def own(self) -> Candidate:
        """The config's own setting."""
        return self.analysis.candidates[0]


def lines(advice: Advice) -> list[str]:
    """Three lines: what to set, what else costs and loses, and what the pilot saw."""
    return [_first(advice), _second(advice), _third(advice)]


def _first(advice: Advice) -> str:
    analysis, width = advice.analysis, advice.pilot.schedule.num_steps
    need, advised = analysis.need, advice.choice.advised
    if advised:
        return f"{advised.setting}: {_time(advised)}; bias of the gradient {_share(advised.bias)}"
    if advice.choice.status == "nothing_learned":
        if analysis.loss.high is None or analysis.loss.high >= analysis.guess:
            than = "before training" if advice.pilot.data.guess is None else "a guess"
            reason = (
                f"the pilot's loss on held-out data, {analysis.loss.mean:.4g}, is no better than "
                f"{than}, {analysis.guess:.4g}"
            )
        else:
            reason = "the pilot uses no input but the present one"
        return f"nothing learned yet: {reason}; give it a larger budget"
    if need.inputs is None:
        return (
            f"not enough: the pilot uses inputs from beyond its {width} steps; train wider, with a "
            "larger budget"
        )
    if need.unseen >= advice.tolerance:
        return (
            f"not enough: the error signal has not decayed within the pilot's {width} steps (up to "
            f"{need.unseen:.0%} lies beyond); train longer or wider, with a larger budget"
        )
    return (
        f"not enough: no setting that the data allow has a bias below {advice.tolerance:.0%}; "
        "give a larger budget, or a larger tolerance"
    )


def _second(advice: Advice) -> str:
    """The config's own setting, and one other to consider."""
    own, advised = advice.own, advice.choice.advised
    if advised and advised.setting == own.setting:
        text = "that is what the experiment has"
    else:
        text = f"your {own.setting}: {_time(own)}; bias {_percent(own)}"
        if own.setting.truncation.style.random:
            text += " and noise, which is not measured"
        needed = advice.analysis.need.inputs
        if needed and own.setting.effective_depth < needed:
            text += f", and it reaches {own.setting.effective_depth} of {needed} inputs"
    other = _other(advice)
    return f"{text}; {other}" if other else text


def _other(advice: Advice) -> str:
    """The next setting with quicker updates, or one without a window if that is all there is."""
    choice, own = advice.choice, advice.own
    if unbounded := choice.unbounded:
        return f"{unbounded.setting} would be enough at any lag: {_time(unbounded)}"
    advised, quicker = choice.advised, choice.quicker
    if advised is None or quicker is None or quicker == own:
        return ""
    if math.isinf(quicker.cost):
        expected = "and would not train"
    else:
        expected = f"expected to train in {quicker.cost / advised.cost:.2f} times the time"
    return f"{quicker.setting}, with quicker updates: bias {_percent(quicker)}, {expected}"


def _third(advice: Advice) -> str:
    pilot, analysis = advice.pilot, advice.analysis
    text = (
        f"pilot: {pilot.schedule.num_steps} steps, {pilot.updates:,} updates, held-out loss "
        f"{analysis.loss.mean:.4g}"
    )
    if analysis.memory is not None and analysis.need.learned:
        inputs = analysis.need.inputs
        text += f"; it uses the last {inputs} inputs" if inputs else "; it uses all its inputs"
    if analysis.is_still_growing:
        text += (
            f", after {analysis.earlier_inputs} halfway: a larger budget may find a longer "
            "dependency"
        )
    if advice.carries_state:
        text += f"; a dependency of {pilot.schedule.num_steps} steps or more would not show"
    return text


def _time(candidate: Candidate) -> str:
    if candidate.seconds is None:
        return f"about {candidate.expected * 1e6:.2g} µs a symbol (not timed)"
    return f"{candidate.seconds * 1e6:.3g} µs a symbol"


def _percent(candidate: Candidate) -> str:
    return f"{candidate.bias.mean:.0%}" if candidate.is_known else "unknown"


def _share(share: Interval) -> str:
    text = f"{share.mean:.1%}"
    return text if share.high is None else f"{text} (at most {share.high:.1%})"


def code() -> str:
    """A digest of the code that decides an advice."""
    return code_digest("experiments/advice", "experiments/gradients")


def as_dict(advice: Advice) -> dict[str, Any]:
    """The content of advice.json."""
    analysis, choice, pilot = advice.analysis, advice.choice, advice.pilot
    memory = analysis.memory
    named = {
        "advised": choice.advised, "own": advice.own, "quicker": choice.quicker,
        "unbounded": choice.unbounded,
    }  # fmt: skip
    return {
        "experiment": advice.config.name,
        "code": code(),
        "status": choice.status,
        "tolerance": advice.tolerance,
        "lines": lines(advice),
        "overrides": choice.advised.setting.overrides(advice.config) if choice.advised else [],
        **{name: each and _candidate(each) for name, each in named.items()},
        "pilot": {
            "num_steps": pilot.schedule.num_steps,
            "updates": pilot.updates,
            "planned_updates": pilot.schedule.updates,
            "seconds": pilot.seconds,
            "loss": analysis.loss._asdict(),
            "guess": analysis.guess,
            "inputs_used": analysis.need.inputs if memory else None,
            "inputs_used_before": analysis.earlier_inputs,
            "left_beyond": analysis.need.unseen,
        },
        "error_signal": {
            str(reading.updates): reading.mean_signal.tolist() for reading in pilot.readings
        },
        "excess_loss": memory.excess.tolist() if memory else None,
        "candidates": [_candidate(each) for each in analysis.candidates],
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    setting = candidate.setting
    return {
        "num_steps": setting.num_steps,
        "truncation": setting.truncation.model_dump(),
        "effective_depth": setting.effective_depth,
        "bias": candidate.bias._asdict(),
        "microseconds_per_symbol": None if candidate.seconds is None else candidate.seconds * 1e6,
        "expected_microseconds_per_symbol": candidate.expected * 1e6,
        "cost": candidate.cost * 1e6,
        "pace": candidate.unbiased_cost * 1e6,
    }
