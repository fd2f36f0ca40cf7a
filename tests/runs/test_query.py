"""experiments/runs/query.py: conditions on runs, and where a mistake is."""

from __future__ import annotations

import pytest

from experiments.errors import UsageError
from experiments.runs.query import parse_query

RUN = {
    "graph.num_steps": 20, "status": "complete", "loss": 0.5, "model.cell": "gru",
    "execution.threads": None, "logging.tensorboard": True, "model.state_size": [64, 32],
    "description": "a, b", "name": "007",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("graph.num_steps>10", True),
        ("graph.num_steps>20", False),
        ("graph.num_steps >= 20", True),
        ("graph.num_steps<3", False),
        ("graph.num_steps<=2e1", True),
        ("graph.num_steps=20.0", True),
        ("graph.num_steps!=20", False),
        ("status=complete", True),
        ("status==complete", True),
        ("status='complete'", True),
        ('status != "failed"', True),
        ("execution.threads=null", True),
        ("logging.tensorboard=true", True),
        ("logging.tensorboard=1", False),
        # Written otherwise, as overrides and YAML allow it too.
        ("logging.tensorboard=True", True),
        ("logging.tensorboard!=True", False),
        ("execution.threads=NULL", True),
        ("model.state_size='[64, 32]'", True),
        # Without spaces, as on the command line, and with them, as in a config.
        ("model.state_size=[64,32]", True),
        ("model.state_size!=[64,32]", False),
        ("model.state_size='[64,  32]'", True),
        ("model.state_size='[ 64, 32 ]'", True),
        ("model.state_size=[32,64]", False),
        ("description='a, b'", True),
        ("description=a,b", False),
        # The text of a run stands beside what was written, not the number that it looks like.
        ("name=007", True),
        ("name='007'", True),
        ("name=7", False),
        ("name!=007", False),
        ("no.key.of.this.run=null", True),
        ("no.key.of.this.run>3", False),
        ("execution.threads<3", False),
        ("status<3", False),
        ("graph.num_steps>10 and status=complete", True),
        ("graph.num_steps>10 and status=failed", False),
        ("graph.num_steps>90 or status=complete", True),
        ("not status=complete", False),
        ("not not status=complete", True),
        # "and" binds closer than "or", "not" closer than both.
        ("status=complete or status=failed and loss>9", True),
        ("(status=complete or status=failed) and loss>9", False),
        ("not status=failed and loss>9", False),
        ("not (status=failed and loss>9)", True),
    ],
)
def test_a_condition_holds_or_not(text: str, expected: bool) -> None:
    assert parse_query(text).holds(RUN) is expected


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("", 1, "expected a key, got the end"),
        ("status", 7, "expected one of = == != < <= > >=, got the end"),
        ("status=", 8, "expected a value, got the end"),
        ("=complete", 1, "expected a key, got ="),
        ("status=complete loss>1", 17, "expected 'and', 'or' or the end, got loss"),
        ("status=complete and", 20, "expected a key, got the end"),
        ("(status=complete", 17, "expected '\\)', got the end"),
        ("status=complete)", 16, "expected 'and', 'or' or the end, got \\)"),
        ("loss<low", 6, "expected a number after <, got low"),
        ("loss='open", 6, 'not understood: "\'open"'),
        ("status=complete and and", 21, "expected a key, got and"),
        ("a=__import__('os')", 13, "expected 'and', 'or' or the end, got \\("),
        ("(" * 101 + "a=1" + ")" * 101, 101, "nested more than 100 deep"),
        ("not " * 100_000 + "a=1", 401, "nested more than 100 deep"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(text: str, column: int, reason: str) -> None:
    with pytest.raises(UsageError, match=f"^--where, column {column}: {reason}$"):
        parse_query(text)


def test_a_key_that_no_run_has_is_named_with_the_nearest() -> None:
    query = parse_query("status=complete and graph.num_stpes>3")
    query.check_keys([*RUN, "graph.num_stpes"])
    with pytest.raises(UsageError, match=r"column 21: graph\.num_stpes: unknown key; did you mean"):
        query.check_keys(RUN)
