"""Settings that advice chooses between: a width of the graph with a style of truncation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from data.task import Task
from experiments.config.flat import flatten, shown_value
from experiments.config.schema import Config
from experiments.description.work import error_passes
from experiments.training import influence_memory
from rnn_graphs.config import TruncationConfig
from rnn_graphs.truncation.styles import STYLES

BEYOND_PILOT = 4  # times its width
FULL_WORK = 3  # cell applications for a symbol, forward and back, by full gradients
WIDTHS_WITH_INFLUENCE = (1, 4, 16)  # whatever the lag, because credit goes beyond them
WIDTHS = (
    1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 768
)  # fmt: skip


class Setting(NamedTuple):
    """How to truncate: the losses of an update, and how far their errors flow back."""

    num_steps: int
    truncation: TruncationConfig

    @property
    def graph_steps(self) -> int:
        """Cell applications of each row in one update, context included."""
        return self.num_steps + self.truncation.context_steps

    @property
    def effective_depth(self) -> int:
        """The most cell applications that an error reaches."""
        return self.truncation.effective_depth(self.num_steps)

    def __str__(self) -> str:
        keys = self.truncation.model_dump(exclude_none=True, exclude_defaults=True)
        kind = keys.pop("kind")
        return f"num_steps={self.num_steps} " + " ".join([kind, *map(_shown, keys.items())])

    def applied_to(self, config: Config) -> Config:
        """The config with this setting, in a graph that is built in the same time at any width.

        A style that does not choose its depth has none to log.
        """
        changes = {"num_steps": self.num_steps, "unroll": "dynamic"}
        graph = config.graph.model_copy(update=changes)
        parts: dict[str, Any] = {"graph": graph, "truncation": self.truncation}
        if not self.truncation.chooses:
            kept = tuple(name for name in config.logging.metrics if name != "chosen_depth")
            parts["logging"] = config.logging.model_copy(update={"metrics": kept})
        return config.model_copy(update=parts)

    def overrides(self, config: Config) -> list[str]:
        """The overrides that turn the config into one with this setting; none for its own."""
        if self == setting_of(config):
            return []
        before = flatten(config.as_dict())
        after = flatten(self.applied_to(config).as_dict())
        return [f"{key}={shown_value(new)}" for key, new in after.items() if before[key] != new]


def _shown(item: tuple[str, Any]) -> str:
    key, value = item
    if value is True:
        return key
    return f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"


def setting_of(config: Config) -> Setting:
    """The setting of a config."""
    return Setting(config.graph.num_steps, config.truncation)


def work_of(setting: Setting, config: Config, task: Task) -> float:
    """The work of an update, for each row, in cell applications of a forward pass.

    An error's pass takes two. An influence passes through the window's Jacobian, and takes up what
    each step adds (docs/truncation.md, "Credit beyond the window").
    """
    truncation, num_steps = setting.truncation, setting.num_steps
    work = setting.graph_steps * (1 + 2 * error_passes(truncation, num_steps))
    if truncation.carries:
        layout = influence_memory.layout_of(config, task)
        carried = truncation.carried_numbers(layout)
        work += carried * (layout.units + num_steps) / layout.parameters
    return work


def settings_of_sequences(widest: int) -> list[Setting]:
    """Settings up to this width for rows whose state is carried, from what each style compares.

    An update has as many losses as errors that flow back together, so that it is as early as the
    style allows, and a graph with context gives every loss its full depth.
    """
    found: dict[Setting, None] = {}
    for width in [*(each for each in WIDTHS if each < widest), widest]:
        for kind, style in STYLES.items():
            for keys in style.compared(width):
                found[_of_sequence(TruncationConfig(kind=kind, **keys), widest)] = None
    return list(found)


def settings_with_influence(widths: Sequence[int], approximate: bool) -> list[Setting]:
    """Settings of the styles whose credit goes beyond the window.

    Those whose bias must be measured (against_rtrl.py) are among them only if `approximate`.
    """
    return [
        Setting(width, TruncationConfig(kind=kind, **keys))
        for kind, style in STYLES.items()
        if style.influence is not None and (approximate or not style.approximate)
        for keys in style.compared_beyond or ({},)
        for width in widths
    ]


def _of_sequence(truncation: TruncationConfig, widest: int) -> Setting:
    style, depth = truncation.style, truncation.depth
    num_steps = truncation.stride or depth or widest
    if depth == num_steps and "depth" in style.takes:  # the plain narrow graph
        return Setting(num_steps, truncation.model_copy(update={"depth": None}))
    if "context" in style.takes and depth and depth > truncation.errors_stride:
        return Setting(num_steps, truncation.model_copy(update={"context": True}))
    return Setting(num_steps, truncation)


def settings_of_examples(length: int) -> list[Setting]:
    """Settings for examples, whose graph is always as wide as an example is long."""
    return [
        Setting(length, TruncationConfig(kind=kind, **keys))
        for kind, style in STYLES.items()
        for keys in style.compared(length)
    ]


def settings_for(config: Config, task: Task, seen: int) -> Sequence[Setting]:
    """All settings that the data allow; the config's own comes first.

    `seen` is the width of the pilot. A graph may be wider: what its first losses leave out matters
    less the more losses there are.
    """
    own = setting_of(config)
    others = settings_of_examples(seen)
    if task.carries_state:
        others = settings_of_sequences(BEYOND_PILOT * seen)
        others += settings_with_influence(WIDTHS_WITH_INFLUENCE, own.truncation.carries)
    fit = [each for each in others if _fits(each, config, task)]
    return [own, *(setting for setting in fit if setting != own)]


def _fits(setting: Setting, config: Config, task: Task) -> bool:
    truncation, num_steps = setting.truncation, setting.num_steps
    try:
        truncation.check_model(config.model)
        windows = task.windows(config.graph.batch_size, num_steps, truncation.context_steps)
    except ValueError:
        return False
    return windows > 0 and influence_memory.problem(setting.applied_to(config), task) is None
