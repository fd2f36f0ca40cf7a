"""The difference of two runs as tables and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from experiments.config.flat import shown_value
from experiments.console import print_line, print_table
from experiments.runs.difference import Difference, FirstDifference


def print_difference(found: Difference, first: str, second: str) -> None:
    """A table for each part that differs, and a line for each that does not."""
    runs = ("first", "second")
    print_line(f"first:  {first}")
    print_line(f"second: {second}")
    for title, pairs in (("config", found.config), ("environment", found.environment)):
        print()
        if pairs:
            print_table((title, *runs), [[key, *map(_text, pair)] for key, pair in pairs.items()])
        else:
            print(f"{title}: no difference")
    print()
    for line in _row_lines(found):
        print_line(line)
    print()
    losses = [[str(seed), *map(_loss, pair)] for seed, pair in found.final_losses.items()]
    print_table(("final loss of seed", *runs), losses)


def as_dict(found: Difference) -> dict[str, Any]:
    """The difference as JSON values."""
    rows = {seed: row and row._asdict() for seed, row in found.rows.items()}
    return {
        "config": found.config, "environment": found.environment, "first_difference": rows,
        "seeds_of_one_run": found.seeds, "final_loss": found.final_losses,
    }  # fmt: skip


def _row_lines(found: Difference) -> Iterator[str]:
    """Where the rows of each seed part."""
    same = [seed for seed, row in found.rows.items() if row is None]
    if same:
        yield f"metrics.csv: no difference in seed {', '.join(map(str, same))} (seconds apart)"
    for seed, row in found.rows.items():
        if row is not None:
            yield f"metrics.csv, seed {seed}: {_row_text(row)}"
    for name, seeds in zip(("first", "second"), found.seeds, strict=True):
        if seeds:
            yield f"only in the {name}: seed {', '.join(map(str, seeds))}"


def _row_text(row: FirstDifference) -> str:
    where = f"first difference at update {row.updates}, {row.split}"
    if row.column == "row":
        name = "second" if row.values[0] else "first"
        return f"{where}: the {name} run has no further row"
    return f"{where}: {row.column} {' and '.join(map(_text, row.values))}"


def _text(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else shown_value(value)


def _loss(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
