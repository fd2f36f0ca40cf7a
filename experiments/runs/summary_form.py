"""The checked form of a summary.json that is read back."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Status = Literal["running", "complete", "failed", "interrupted", "diverged"]


class Form(BaseModel):
    """Types of the keys that readers use; earlier and later versions may write others."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Losses(Form):
    """A mean over complete seeds with its interval, each seed's loss; nats per time step."""

    mean: float | None = None
    low: float | None = None
    high: float | None = None
    per_seed: dict[int, float] = Field(default_factory=dict)


class FinalLoss(Losses):
    """Final losses, with the updates that each is a mean of."""

    updates: dict[int, int] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _each_has_its_loss(self) -> Self:
        for seed in self.updates:
            if seed not in self.per_seed:
                raise ValueError(f"per_seed: expected the loss of seed {seed}, which has updates")
        return self


class FreshLoss(Losses):
    """Losses on fresh data, with the time steps that each is a mean of."""

    time_steps: dict[int, int] = Field(default_factory=dict)


class BestLoss(Form):
    """The mean of complete seeds' least validation losses with its interval."""

    mean: float | None = None
    low: float | None = None
    high: float | None = None


class Validation(Form):
    """The least validation losses."""

    best_loss: BestLoss
    per_seed: dict[int, float]


class Effect(Form):
    """A probe's finding on one lag."""

    lag: int
    learned: bool


class Probe(Form):
    """The answers of one seed's model."""

    seed: int
    effects: list[Effect] = Field(default_factory=list)


class Execution(Form):
    """How the run was executed."""

    xla: Literal["on", "off"] = "off"
    onednn: Literal["on", "off"] = "off"
    threads: int | None = None


class PhysicalMemory(Form):
    """The physical memory of the process that trained the run, in bytes."""

    before: int
    peak: int


class SummaryForm(Form):
    """summary.json; all keys but the first few are missing until a run has ended."""

    status: Status | None = None
    name: str = ""
    reason: str = ""
    final_loss: FinalLoss = Field(default_factory=FinalLoss)
    fresh_loss: FreshLoss | None = None
    seeds: dict[int, str] = Field(default_factory=dict)
    updates: dict[int, int] = Field(default_factory=dict)
    seconds: float = 0.0
    total_updates: int = 0
    validation: Validation | None = None
    floors: dict[str, float] = Field(default_factory=dict)
    probe: list[Probe] = Field(default_factory=list)
    execution: Execution | None = None
    memory: PhysicalMemory | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    git_commit: str | None = None
    host: dict[str, Any] = Field(default_factory=dict)
