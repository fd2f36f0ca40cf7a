"""Who may import whom, read from the source; and what commands load, seen in a process."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("data", "rnn_graphs", "experiments")
PROGRAM = [
    ROOT / "run.py",
    *sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")),
]
# Importing scikit-learn takes more than a second; only who asks for its data waits. So it is with
# SentencePiece, which a run that is read does without.
INSIDE_FUNCTIONS = {"data/images.py": {"sklearn"}, "data/subwords.py": {"sentencepiece"}}
SLOW = {"data/images.py": {"sklearn.datasets"}, "data/subwords.py": {"sentencepiece"}}
TENSORFLOW = {"tensorflow", "tf_keras", "keras"}


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports, inside of functions too."""
    return {name.split(".")[0] for name in _imported(ast.parse(path.read_text("utf-8")))}


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports here are absolute"
            yield node.module or ""


def files(package: str) -> list[Path]:
    found = [path for path in PROGRAM if path.is_relative_to(ROOT / package)]
    assert found
    return found


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", files("data"), ids=name)
def test_data_imports_only_numpy_pydantic_and_the_standard_library(path: Path) -> None:
    allowed = {"numpy", "pydantic", "data"} | INSIDE_FUNCTIONS.get(name(path), set())
    assert imported(path) - sys.stdlib_module_names <= allowed


@pytest.mark.parametrize("path", INSIDE_FUNCTIONS)
def test_what_is_slow_to_import_is_not_imported_with_the_module(path: str) -> None:
    module = ast.parse((ROOT / path).read_text("utf-8"))
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef)]
    outside = [node for node in module.body if not isinstance(node, ast.FunctionDef)]
    slow = SLOW[path]
    assert slow <= {each for node in functions for each in _imported(node)}
    assert not slow & {each for node in outside for each in _imported(node)}


@pytest.mark.parametrize("path", files("rnn_graphs"), ids=name)
def test_rnn_graphs_imports_neither_data_nor_experiments(path: Path) -> None:
    assert not imported(path) & {"data", "experiments", "run", "tests"}


@pytest.mark.parametrize("path", files("experiments"), ids=name)
def test_experiments_does_not_import_the_command_line(path: Path) -> None:
    allowed = {"run"} if name(path) == "experiments/__main__.py" else set()  # it is that command
    assert imported(path) & {"run", "tests"} == allowed


@pytest.mark.parametrize("path", PROGRAM, ids=name)
def test_tensorflow_is_imported_in_one_module_alone(path: Path) -> None:
    expected = {"tensorflow"} if name(path) == "rnn_graphs/tf1.py" else set()
    assert imported(path) & TENSORFLOW == expected


@pytest.mark.parametrize("path", files("rnn_graphs"), ids=name)
def test_graphs_know_no_sessions_and_no_files(path: Path) -> None:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.Name):
            names.add(node.id)
    assert not names & {"Session", "open", "Path", "FileWriter", "Saver"}


# A room imports rooms of earlier lines, and none of its own line but itself.
ROOMS = (
    {"errors", "interrupts", "paths", "output"},
    {"console"},
    {"config", "statistics"},
    {"runs"},
    {"reporting"},
    {"training"},
    {"sweeps", "comparison", "gradients", "description"},
    {"advice"},
    {"studies", "benchmarks"},
    {"commands", "examples", "completion"},
    {"parser"},
    {"arguments"},
    {"__main__"},
)


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in PROGRAM}


def imported_modules(path: Path) -> set[str]:
    """The program's own modules that a file imports, in functions and for types too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & MODULES.keys() or {node.module or ""}
    return found & MODULES.keys()


def room_of(module: str) -> str:
    """ "training" of experiments.training.runner, "errors" of experiments.errors."""
    return module.split(".")[1]


def line_of(room: str) -> int:
    (line,) = (number for number, rooms in enumerate(ROOMS) if room in rooms)
    return line


def test_every_room_has_its_line() -> None:
    rooms = {room_of(module) for module in MODULES if module.startswith("experiments.")}
    assert sorted(rooms) == sorted(room for rooms in ROOMS for room in rooms)


@pytest.mark.parametrize("path", [*files("experiments"), ROOT / "run.py"], ids=name)
def test_rooms_import_only_rooms_before_them(path: Path) -> None:
    parts = module_of(path).split(".")
    room = parts[1] if len(parts) > 1 else ""  # run.py and experiments/__init__.py have none
    limit = line_of(room) if room else len(ROOMS)
    others = {
        other
        for module in imported_modules(path)
        if module.startswith("experiments.") and (other := room_of(module)) != room
    }
    assert {other for other in others if line_of(other) >= limit} == set()


def test_no_files_import_each_other_in_a_circle() -> None:
    imports = {module: imported_modules(path) for module, path in MODULES.items()}
    tuple(graphlib.TopologicalSorter(imports).static_order())  # raises CycleError


def test_imports_in_functions_and_for_types_count(tmp_path: Path) -> None:
    path = tmp_path / "file.py"
    path.write_text(
        "import numpy\n"
        "from experiments.benchmarks import blog\n"
        "if TYPE_CHECKING:\n    from experiments.runs.run import Run\n"
        "def function():\n    import data.task\n"
    )
    assert imported_modules(path) == {
        "experiments.benchmarks.blog", "experiments.runs.run", "data.task",
    }  # fmt: skip


REPORT_TENSORFLOW = """
import atexit, sys
def report():
    loaded = {"tensorflow", "tf_keras", "rnn_graphs.tf1"} & set(sys.modules)
    print("loaded:", sorted(loaded))
atexit.register(report)
import run
sys.exit(run.main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 0),
        (("--help",), 0),
        (("train", "--help"), 0),
        (("list",), 0),
        (("config", "r2rt_n5"), 0),
        (("config", "r2rt_n5", "graph.num_stpes=5"), 2),
        (("train", "r2rt_n5", "graph.num_steps=0"), 2),
        (("train", "no_such_experiment"), 2),
        (("gradients", "no_such_experiment"), 2),
        (("sweep", "r2rt_width", "graph.num_steps=0,1"), 2),
        (("sweep", "r2rt_width", "--dry-run"), 0),
        (("evaluate", "no_such_directory"), 2),
        (("no_such_command",), 2),
    ],
)
def test_what_needs_no_tensorflow_does_not_import_it(
    arguments: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", REPORT_TENSORFLOW, *arguments],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr
    assert done.stdout.endswith("loaded: []\n")


def test_a_study_is_checked_without_matplotlib() -> None:
    check = "import sys; from experiments.studies.study import load_study; load_study('r2rt_part1')"
    subprocess.run(
        [sys.executable, "-c", f"{check}; sys.exit('matplotlib' in sys.modules)"],
        env={"PYTHONPATH": str(ROOT)},
        check=True,
    )
