"""Functions called side by side, each in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from experiments.errors import Interrupted


def side_by_side(functions: Sequence[Callable[[], object]]) -> None:
    """Call all, and return when all have returned. One alone is called in this thread.

    Raises what one of them raised, an error rather than Interrupted.
    """
    if len(functions) == 1:
        functions[0]()
        return
    with ThreadPoolExecutor(len(functions)) as threads:
        futures = [threads.submit(function) for function in functions]
        errors = [error for error in (future.exception() for future in futures) if error]
    if errors:
        raise min(errors, key=lambda error: isinstance(error, Interrupted))
