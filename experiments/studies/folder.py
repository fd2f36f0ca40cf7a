"""The folder of a study's report: its name, and whose report it holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.config.compose import expanded, is_file_name
from experiments.runs.files import numbered_folder, write_atomic
from experiments.runs.naming import name_as_written

CONTENT = "study.json"


def default_folder(study: str, overrides: Sequence[str]) -> Path:
    """reports/STUDY, or reports/STUDY,<overrides>; numbered if it holds another study's report."""
    stem = Path(study).stem
    name = f"{stem},{name_as_written(overrides)}" if overrides else stem
    return numbered_folder(name, lambda folder: not holds_another(folder, study, overrides))


def holds_another(folder: Path, study: str, overrides: Sequence[str]) -> bool:
    """Whether the folder holds the report of another study, or of other overrides.

    A folder that does not say counts as the study's own.
    """
    try:
        found = json.loads((folder / CONTENT).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(found != _content(study, overrides))


def name_content(folder: Path, study: str, overrides: Sequence[str]) -> None:
    """Write into the folder whose report it holds."""
    content = json.dumps(_content(study, overrides), indent=2, ensure_ascii=False)
    write_atomic(folder / CONTENT, content + "\n")


def _content(study: str, overrides: Sequence[str]) -> dict[str, Any]:
    """A shipped study by its name, a user's own by its file."""
    source = str(expanded(study).resolve()) if is_file_name(study) else study
    return {"study": source, "overrides": sorted(overrides)}
