"""Messages about values and files that need another spelling: each says which."""

from __future__ import annotations

import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import run
from experiments.config.compose import load_config, validate
from experiments.config.quoting import quoted_override
from experiments.config.yaml_file import dump_yaml
from experiments.errors import UsageError
from experiments.paths import ROOT
from experiments.runs.directory import RunDirectory
from experiments.studies.spec import StudyConfig


def error_of(experiment: str | Path, *overrides: str) -> str:
    with pytest.raises(UsageError) as caught:
        load_config(str(experiment), overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


TEXTS = (
    "it's", "a=b", "李明", "a, b", "(x)", "!x", "a;b", "a#b", "é", '"a', "a & b", "${", "${five}",
    "$x_$", "\\", "it's 5 \"$ at `x`\\", "it's!", "it's ${five}", "[a", "{x}",
)  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_quoted_override_reaches_the_config_through_the_shell(text: str) -> None:
    echoed = subprocess.run(
        ["sh", "-c", f"printf %s {quoted_override('description', text)}"],
        capture_output=True,
        check=True,
    )
    assert load_config("r2rt_n5", [echoed.stdout.decode()]).description == text


@pytest.mark.parametrize("text", [*TEXTS, "\\${x}", "\\\\${x} ${", "${x}\\"])
def test_a_description_is_the_same_in_a_run_and_in_a_run_from_its_config(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = load_config("r2rt_n5")
    config = config.model_copy(update={"description": text})
    RunDirectory(tmp_path).prepare(config, overwrite=False)
    assert RunDirectory(tmp_path).read_config() == config
    assert load_config(str(tmp_path / "config.yaml")) == config
    assert run.main(["config", str(tmp_path / "config.yaml")]) == 0
    assert capsys.readouterr().out == (tmp_path / "config.yaml").read_text("utf-8")


def test_a_run_of_an_earlier_version_may_have_a_dollar_and_a_brace(tmp_path: Path) -> None:
    content = load_config("r2rt_n5").as_dict() | {"description": "costs ${five}"}
    (tmp_path / "config.yaml").write_text(dump_yaml(content))
    assert RunDirectory(tmp_path).read_config().description == "costs ${five}"


@pytest.mark.parametrize("text", ["it's", "a=b", "李明", "a, b", "(x)", "a;b", "${"])
def test_a_value_that_needs_quotes_says_how_to_quote_it(text: str) -> None:
    message = error_of("r2rt_n5", f"description={text}")
    assert message.endswith(quoted_override("description", text))
    assert shlex.split(quoted_override("description", text))[0].startswith("description=")


@pytest.mark.parametrize("key", ["description", "graph.num_steps"])
@pytest.mark.parametrize("value", ["${five}", "${oc.env:NO_SUCH_VARIABLE}", "'${'"])
def test_an_interpolation_that_fails_names_its_key_and_how_to_write_text(
    key: str, value: str
) -> None:
    message = error_of("r2rt_n5", f"{key}={value}")
    assert message.startswith(f"{key}: ")
    assert message.endswith("; write \\${ for a text with ${ in it")


def test_an_interpolation_in_a_file_names_its_key(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("graph: {num_steps: '${five}'}\n")
    assert error_of(path).startswith("graph.num_steps: Interpolation key 'five' not found")
    path.write_text("description: '${'\n")
    assert "description: " in error_of(path)


@pytest.mark.parametrize("date", ["2001-01-01", "2001-01-01T10:00:00Z", "2024-99-99"])
def test_a_date_is_text_and_names_its_key(date: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"description: {date}\n")
    assert load_config(str(path)).description == date
    path.write_text(f"training: {{epochs: {date}}}\n")
    message = error_of(path)
    assert "training.epochs: expected a whole number" in message
    assert repr(date) in message


@pytest.mark.parametrize("name", ["my exp", "李明", ".hidden", "a=b"])
def test_a_file_that_cannot_name_an_experiment_is_told_by_its_name(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / f"{name}.yaml"
    path.write_text("graph: {num_steps: 7}\n")
    message = error_of(path)
    assert message.startswith(f"experiment file {path}: without a key `name`, its file name names")
    assert f"got {name!r}; rename the file, or add `name`" in message
    path.write_text("name: fine\n")
    assert load_config(str(path)).name == "fine"
    path.write_text("graph: {num_steps: 7}\n")
    assert load_config(str(path), ["name=fine"]).name == "fine"


def test_a_name_is_refused_in_words() -> None:
    message = error_of("r2rt_n5", "name='李明'")
    assert "name: expected letters, digits, _, . and -, a letter or a digit first" in message


def error_of_study(**parts: object) -> str:
    with pytest.raises(UsageError) as caught:
        validate(StudyConfig, {"description": "d", "title": "t", **parts}, "study mine.yaml")
    return str(caught.value)


def test_a_study_has_no_task_of_its_own() -> None:
    """Only in an experiment is `task` a section, whose keys depend on its kind."""
    assert error_of_study(task="text").startswith("study mine.yaml: task: unknown key")


def test_an_id_is_refused_in_words() -> None:
    arguments = {"run": "a", "expected": 1, "tolerance": 1}
    claim = {"source": "s", "claim": "c", "criterion": "final_loss", "arguments": arguments}
    message = error_of_study(claims=[claim | {"id": "My id"}])
    expected = "expected lower-case letters, digits and _; got 'My id'"
    assert message == f"study mine.yaml: claims.0.id: {expected}"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"runs": {"a": {"experiment": "r2rt_n5", "overides": []}}},
            "runs.a.overides: unknown key; did you mean 'runs.a.overrides'?",
        ),
        (
            {"runs": {"1": {"experiment": "r2rt_n5", "overides": []}}},
            "runs.1.overides: unknown key; did you mean 'runs.1.overrides'?",
        ),
        (
            {"grids": {"g": {"experiment": "r2rt_n5", "ovre": {}}}},
            "grids.g.ovre: unknown key; did you mean 'grids.g.over'? (and 1 more)",
        ),
        ({"rusn": {}}, "rusn: unknown key; did you mean 'runs'?"),
        ({"claims": [{"sorce": 1}]}, "claims.0.sorce: unknown key; did you mean 'claims.source'?"),
    ],
)
def test_the_nearest_key_has_the_name_that_the_file_gives(
    parts: dict[str, object], message: str
) -> None:
    assert error_of_study(**parts).startswith(f"study mine.yaml: {message}")


def test_a_file_below_the_home_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.yaml").write_text("graph: {num_steps: 7}\n")
    assert load_config("~/mine.yaml").graph.num_steps == 7


@pytest.mark.parametrize("task", ["null", "5", "text", "[1]"])
def test_a_task_that_is_no_mapping_is_told(task: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    config = load_config("r2rt_n5").as_dict()
    del config["task"]
    path.write_text(f"{dump_yaml(config)}task: {task}\n")
    with pytest.raises(UsageError, match="task: expected a mapping of keys; got"):
        RunDirectory(tmp_path).read_config()


TOO_LARGE = """
from data.streams import training_stream
from experiments.config.compose import load_config
from experiments.config.sizes import naming_sizes
from experiments.config.yaml_file import dump_yaml
from experiments.errors import RunError
import sys

config = load_config("r2rt_n5", ["task.size=1000000000"])
try:
    with naming_sizes(config):
        config.task.make().draw(training_stream(0))
except RunError as error:
    sys.exit(str(error))
"""


def test_memory_that_does_not_suffice_names_the_size() -> None:
    limit = 2 << 30
    done = subprocess.run(
        [sys.executable, "-c", TOO_LARGE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode == 1
    assert done.stderr.startswith("out of memory (Unable to allocate ")
    assert "the largest sizes of the config are task.size = 1,000,000,000, graph" in done.stderr
