"""config/compose.py: YAML and overrides to a checked config, or one line that says why not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data.tasks.binary_dependency import BinaryDependencyConfig
from experiments.config.catalog import names
from experiments.config.compose import load_config
from experiments.config.mistakes import known_keys
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.paths import CONFIGS

EXPERIMENTS = names("experiment")


def error_of(experiment: str | Path, *overrides: str) -> str:
    """The error about a config that is refused; always a single line."""
    with pytest.raises(UsageError) as caught:
        load_config(str(experiment), overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_there_are_experiments() -> None:
    assert {"r2rt_n1", "r2rt_n5", "r2rt_n10"} <= set(EXPERIMENTS)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_shipped_experiment_loads_under_its_own_name(experiment: str) -> None:
    config = load_config(experiment)
    assert config.name == experiment
    assert config.description


@pytest.mark.parametrize(
    ("experiment", "num_steps", "state_size", "epochs"),
    [("r2rt_n1", 1, 4, 2), ("r2rt_n5", 5, 4, 1), ("r2rt_n10", 10, 16, 10)],
)
def test_the_blogs_experiments_are_as_in_the_blog(
    experiment: str, num_steps: int, state_size: int, epochs: int
) -> None:
    config = load_config(experiment)
    assert config.graph.num_steps == num_steps
    assert config.model.state_size == state_size
    assert config.training.epochs == epochs
    assert (config.optimizer.kind, config.optimizer.learning_rate) == ("adagrad", 0.1)
    assert config.optimizer.value("initial_accumulator") == 0.1
    assert isinstance(config.task, BinaryDependencyConfig)
    assert (config.graph.batch_size, config.task.size) == (200, 1_000_000)
    dependencies = [(one.lag, one.effect) for one in config.task.dependencies]
    assert (config.task.base, dependencies) == (0.5, [(3, 0.5), (8, -0.25)])


def test_every_default_is_in_the_yaml_and_commented() -> None:
    """A key has a comment on its line or above it; a run of keys may share one."""
    for path in [CONFIGS / "base.yaml", *(CONFIGS / "task").glob("*.yaml")]:
        explained = False
        for line in path.read_text("utf-8").splitlines():
            key = re.match(r" *([a-z_0-9]+):(.*)", line)
            if not line.strip() or (key and not key[2].strip()):
                explained = False  # a new section, or what stands above its keys
            elif line.strip().startswith("#"):
                explained = True
            elif key:
                assert explained or "#" in line or key[1] in ("learning_rate", "kind"), line


@pytest.mark.parametrize(
    ("override", "key", "expected", "found"),
    [
        # unknown keys
        ("graph.num_stpes=5", "graph.num_stpes", "did you mean 'graph.num_steps'?", "unknown key"),
        ("num_steps=5", "num_steps", "did you mean 'graph.num_steps'?", "unknown key"),
        ("state_size=5", "state_size", "did you mean 'model.state_size'?", "unknown key"),
        ("optimizer.learn_rate=1", "learn_rate", "'optimizer.learning_rate'?", "unknown key"),
        ("zzz=5", "zzz", "", "unknown key"),
        ("hydra.verbose=true", "hydra.verbose", "", "unknown key"),
        (
            "task.dependencies=[{lag: 1, efect: 0.1}]",
            "task.dependencies.0.efect", "'task.dependencies.effect'?", "unknown key",
        ),
        # wrong types
        ("graph.num_steps=five", "graph.num_steps", "expected a whole number", "'five'"),
        ("graph.num_steps=2.5", "graph.num_steps", "expected a whole number", "2.5"),
        ("graph.num_steps=null", "graph.num_steps", "expected a whole number", "got null"),
        ("graph=null", "graph", "expected a mapping of keys", "got null"),
        ("training.seeds=1e30", "training.seeds", "expected a smaller whole number", "1e+30"),
        ("graph.num_steps=true", "graph.num_steps", "expected a number", "true"),
        ("model.state_size=true", "model.state_size", "expected a number", "true"),
        ("model.state_size=[true,2]", "model.state_size", "expected a number", "true"),
        ("graph.num_steps=[5]", "graph.num_steps", "expected a whole number", "[5]"),
        ("task.base=false", "task.base", "expected a number", "false"),
        ("optimizer.momentum=true", "optimizer.momentum", "expected a number", "true"),
        ("optimizer.learning_rate=x", "optimizer.learning_rate", "expected a number", "'x'"),
        ("optimizer.learning_rate=nan", "optimizer.learning_rate", "expected a finite", "nan"),
        ("optimizer.learning_rate=inf", "optimizer.learning_rate", "expected a finite", "inf"),
        ("logging.tensorboard=maybe", "logging.tensorboard", "expected true or false", "'maybe'"),
        ("description=5", "description", "expected text", "5"),
        ("graph=5", "graph", "expected a mapping of keys", "5"),
        ("task.dependencies=3", "task.dependencies", "expected a list", "3"),
        (
            "task.dependencies=[{lag: 1}]",
            "task.dependencies.0.effect", "this key is needed", "not given",
        ),
        # out of range
        ("graph.num_steps=0", "graph.num_steps", "expected at least 1", "0"),
        ("model.state_size=-4", "model.state_size", "expected a size from 1 to 65536", "-4"),
        ("task.size=0", "task.size", "expected at least 1", "0"),
        ("task.base=1.5", "task.base", "expected at most 1", "1.5"),
        ("optimizer.learning_rate=0", "optimizer.learning_rate", "expected more than 0", "0"),
        ("training.epochs=0", "training.epochs", "expected at least 1", "0"),
        ("training.first_seed=-1", "training.first_seed", "expected at least 0", "-1"),
        ("logging.every=0", "logging.every", "expected at least 1", "0"),
        (
            "task.dependencies=[{lag: -1, effect: 0.1}]",
            "task.dependencies.0.lag", "expected at least 0", "-1",
        ),
        # choices
        ("graph.unroll=dyn", "graph.unroll", "'scratch', 'static', 'dynamic' or 'scan'", "'dyn'"),
        ("model.cell=elman", "model.cell", "expected one of scratch, basic_rnn", "'elman'"),
        ("optimizer.kind=adamw", "optimizer.kind", "'adam'", "'adamw'"),
        ("execution.xla=yes", "execution.xla", "'auto', 'on' or 'off'", "'yes'"),
        ("truncation.kind=none", "truncation.kind", "expected one of full, tf_style", "'none'"),
        ("task.kind=copy", "task.kind", "expected one of binary_dependency, ", "'copy'"),
        # what does not fit together
        ("task.dependencies=[{lag: 1, effect: 0.9}]", "task", "[0, 1]", "x[t-1]=1 it is 1.4"),
        (
            "task.dependencies=[{lag: 2, effect: -0.3}, {lag: 7, effect: -0.3}]",
            "task", "P(y=1) must stay within [0, 1]", "x[t-2]=1, x[t-7]=1 it is -0.1",
        ),
        (
            "task.dependencies=[{lag: 3, effect: 0.1}, {lag: 3, effect: 0.2}]",
            "task.dependencies", "each lag at most once", "lag 3 is there 2 times",
        ),
        (
            "task.dependencies=[{lag: 1000000, effect: 0.1}]",
            "task", "size must be greater than the longest lag, 1000000", "got 1000000",
        ),
        ("optimizer.momentum=0.9", "momentum", "is for momentum, rmsprop", "adagrad does not use"),
        ("optimizer.beta1=0.9", "beta1", "is for adam", "adagrad does not use it"),
        # not one value, or no value at all
        ("graph.num_steps=1,5", "graph.num_steps", "expected one value", "the sweep 1,5"),
        ("graph.num_steps=range(1,9)", "graph.num_steps", "expected one value", "range(1,9)"),
        ("graph.unroll=choice(static,dynamic)", "graph.unroll", "expected one value", "choice"),
        ("graph.num_steps", "'graph.num_steps'", "expected key=value", "override"),
        ("=5", "'=5'", "expected key=value", "override"),
        ("~graph", "'~graph'", "expected key=value", "override"),
        ("graph.num_steps=[1", "graph.num_steps", "value not understood", "'[1'"),
        ("graph.num_steps=${nowhere}", "nowhere", "not found", "Interpolation key"),
        ("task=xyz", "task 'xyz'", "not known; known: ", "copy_memory"),
        ("name=a/b", "name", "expected letters, digits", "'a/b'"),
        ("name=..", "name", "expected letters, digits", "'..'"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_key_expectation_and_finding(
    override: str, key: str, expected: str, found: str
) -> None:
    message = error_of("r2rt_n5", override)
    assert key in message
    assert expected in message
    assert found in message


@pytest.mark.parametrize("key", ["held_out_rows", "valid", "vocabulary_size", "expect.vocabulary"])
def test_a_boolean_is_no_number_of_a_text(key: str) -> None:
    message = error_of("text_python_docs", f"task.{key}=true")
    assert message.endswith(f"task.{key}: expected a number; got true")


def test_a_boolean_is_no_item_of_a_list_of_numbers() -> None:
    message = error_of("text_python_docs", "task.expect.symbols=[5,true]")
    assert message.endswith("task.expect.symbols: expected a number; got true")


def test_two_mistakes_are_counted() -> None:
    message = error_of("r2rt_n5", "graph.num_steps=0", "training.epochs=0")
    assert message.endswith("(and 1 more)")


def test_an_unknown_experiment_is_answered_with_the_nearest() -> None:
    message = error_of("r2rt_n50")
    assert message == "experiment 'r2rt_n50': not known; did you mean 'r2rt_n5'?"


def test_an_unknown_experiment_near_none_is_answered_with_all() -> None:
    message = error_of("zebra")
    assert all(name in message for name in EXPERIMENTS)


def test_the_last_override_of_a_key_counts() -> None:
    assert load_config("r2rt_n5", ["graph.num_steps=7", "graph.num_steps=3"]).graph.num_steps == 3


@pytest.mark.parametrize(
    ("text", "value"), [("on", "on"), ("off", "off"), ("auto", "auto"), ("true", "on")]
)
def test_xla_is_a_word_even_where_yaml_reads_a_boolean(text: str, value: str) -> None:
    assert load_config("r2rt_n5", [f"execution.xla={text}"]).execution.xla == value


def test_rounding_alone_does_not_leave_0_to_1() -> None:
    effects = "[{lag: 1, effect: 0.05}, {lag: 2, effect: 0.55}, {lag: 3, effect: 0.3}]"
    assert 0.1 + (0.05 + 0.55 + 0.3) > 1
    load_config("r2rt_n5", ["task.base=0.1", f"task.dependencies={effects}"])


def test_a_config_cannot_change() -> None:
    config = load_config("r2rt_n5")
    with pytest.raises(ValidationError, match="frozen"):
        config.graph.num_steps = 3


def test_seeds_count_up_from_the_first() -> None:
    config = load_config("r2rt_n5", ["training.first_seed=7", "training.seeds=3"])
    assert list(config.seeds) == [7, 8, 9]


class TestRoundTrip:
    @pytest.mark.parametrize("experiment", EXPERIMENTS)
    def test_a_dumped_config_loads_as_the_same_config(
        self, experiment: str, tmp_path: Path
    ) -> None:
        config = load_config(experiment, ["training.seeds=3", "execution.xla=on"])
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(config.as_dict(), sort_keys=False))
        assert load_config(str(path)) == config

    @settings(max_examples=15)  # composing takes a tenth of a second
    @given(
        learning_rate=st.floats(1e-300, 1e300),
        effect=st.floats(-0.5, 0.5),
        description=st.text(st.characters(exclude_characters="$", exclude_categories=["Cs"])),
        threads=st.none() | st.integers(1, 9),
    )
    def test_whatever_the_values_are(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        learning_rate: float,
        effect: float,
        description: str,
        threads: int | None,
    ) -> None:
        values = load_config("r2rt_n5").as_dict()
        values["optimizer"]["learning_rate"] = learning_rate
        values["task"]["dependencies"] = [{"lag": 2, "effect": effect}]
        values["description"] = description
        values["execution"]["threads"] = threads
        config = Config.model_validate(values)
        path = tmp_path_factory.getbasetemp() / "whatever.yaml"
        path.write_text(yaml.safe_dump(config.as_dict()), "utf-8")
        assert load_config(str(path)) == config


class TestAUsersOwnFile:
    @pytest.fixture
    def write(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        return tmp_path / "mine.yaml"

    def test_it_holds_only_differences(self, write: Path) -> None:
        write.write_text("graph:\n  num_steps: 7\n")
        expected = load_config("r2rt_n5", ["graph.num_steps=7", "name=mine", "description=''"])
        assert load_config("mine.yaml") == expected

    def test_its_name_is_that_of_the_file(self, write: Path) -> None:
        write.write_text("graph: {num_steps: 7}\n")
        assert load_config("mine.yaml").name == "mine"

    def test_a_name_in_it_comes_first(self, write: Path) -> None:
        write.write_text("name: other\n")
        assert load_config("mine.yaml").name == "other"

    def test_an_override_comes_last(self, write: Path) -> None:
        write.write_text("graph: {num_steps: 7, batch_size: 10}\n")
        config = load_config("mine.yaml", ["graph.num_steps=3"])
        assert (config.graph.num_steps, config.graph.batch_size) == (3, 10)

    def test_a_list_in_it_replaces_the_default(self, write: Path) -> None:
        write.write_text("task: {dependencies: [{lag: 1, effect: 0.25}]}\n")
        task = load_config("mine.yaml").task
        assert isinstance(task, BinaryDependencyConfig)
        (dependency,) = task.dependencies
        assert (dependency.lag, dependency.effect) == (1, 0.25)

    def test_the_task_may_be_named_beside_it(self, write: Path) -> None:
        write.write_text("graph: {num_steps: 7}\n")
        config = load_config("mine.yaml", ["task=binary_dependency"])
        assert config.task.kind == "binary_dependency"

    @pytest.mark.parametrize("experiment", EXPERIMENTS)
    def test_a_copy_of_a_shipped_file_is_the_same_experiment(
        self, write: Path, experiment: str
    ) -> None:
        write.write_bytes((CONFIGS / "experiment" / f"{experiment}.yaml").read_bytes())
        assert load_config("mine.yaml") == load_config(experiment)

    def test_the_task_of_its_defaults_is_chosen(self, write: Path) -> None:
        write.write_text("defaults: [{override /task: text}, _self_]\ngraph: {num_steps: 7}\n")
        config = load_config("mine.yaml")
        assert (config.task.kind, config.graph.num_steps) == ("text", 7)

    @pytest.mark.parametrize(
        ("defaults", "reason"),
        [
            ("[base]", "expected a list of entries such as '- override /task: text', got 'base'"),
            ("text", "expected a list of entries such as '- override /task: text', got 'text'"),
            ("[{override /task: txet}]", "no file configs/task/txet.yaml"),
            ("[{override /../task: text}]", "no file configs/../task/text.yaml"),
        ],
    )
    def test_other_defaults_are_told(self, write: Path, defaults: str, reason: str) -> None:
        write.write_text(f"defaults: {defaults}\n")
        assert reason in error_of("mine.yaml")

    def test_a_wrong_key_in_it_is_told(self, write: Path) -> None:
        write.write_text("graph: {num_step: 7}\n")
        message = error_of("mine.yaml")
        assert "mine.yaml: graph.num_step: unknown key; did you mean 'graph.num_steps'?" in message

    @pytest.mark.parametrize(
        ("content", "place"),
        [
            (b"graph:\n  num_steps: [1, 2\n", "line 3, column 1"),
            (b"graph:\n\tnum_steps: 1\n", "line 2, column 1"),
            (b"a: b: c\n", "line 1, column 5"),
            (b"key: !!python/object/apply:os.getcwd []\n", "line 1, column 6"),
        ],
    )
    def test_malformed_yaml_is_told_with_its_place(
        self, write: Path, content: bytes, place: str
    ) -> None:
        write.write_bytes(content)
        message = error_of("mine.yaml")
        assert message.startswith(f"mine.yaml, {place}: not valid YAML: ")

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "expected keys and values, found nothing"),
            (b"- 1\n- 2\n", "expected a mapping of keys, got list"),
            (b"5\n", "expected a mapping of keys, got int"),
            (b"name: \xff\xfe\n", "cannot be read"),
            (b"name: \x00\n", "not valid YAML"),
            (b"[" * 100_000, "not valid YAML"),
            (b"graph: {num_steps: 2024-99-99}\n", "graph.num_steps: expected a whole number"),
            (b"1: 2\n", "1: unknown key"),
            (b"{[1]: 2}\n", "not valid YAML"),
        ],
    )
    def test_what_is_no_mapping_of_keys_is_told(
        self, write: Path, content: bytes, reason: str
    ) -> None:
        write.write_bytes(content)
        message = error_of("mine.yaml")
        assert "mine.yaml" in message
        assert reason in message

    def test_a_file_that_is_not_there_is_told(self, write: Path) -> None:
        assert error_of("other.yaml") == "experiment file other.yaml: no such file"

    def test_a_folder_is_no_file(self, write: Path) -> None:
        write.mkdir()
        assert error_of("mine.yaml") == "experiment file mine.yaml: expected a file, found a folder"


def test_known_keys_reach_into_sections_and_lists() -> None:
    keys = known_keys(Config)
    assert {"graph.num_steps", "task.dependencies.effect", "name"} <= set(keys)
