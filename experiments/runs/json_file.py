"""JSON files that are read back from a run, whoever wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from experiments.errors import UsageError
from experiments.runs.links import require_file


def read_object(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file; None where there is no file, {} where it is empty.

    Raises UsageError where the path is no file, or the file holds no JSON object.
    """
    require_file(path)
    try:
        text = path.read_text("utf-8")
        content = json.loads(text) if text.strip() else {}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path}: expected an object, got {type(content).__name__}")
    return content
