"""The examples at the end of each --help: a command line and its purpose."""

from __future__ import annotations

OVERVIEW = """examples:
  python run.py list                                     experiments, sweeps and studies
  python run.py config r2rt_n5 graph.num_steps=10        the composed config, as YAML
  python run.py train r2rt_n5 training.seeds=3           in runs/r2rt_n5/training.seeds=3/
  python run.py sweep r2rt_n5 graph.num_steps=1,5,10     a run for each value
  python run.py runs --where "status=complete"           the runs, their loss, time and size
  python run.py compare runs/r2rt_n5 runs/r2rt_n10       curves, a table, a report
  python run.py diff runs/r2rt_n5/default runs/mine      how two runs differ
  python run.py evaluate runs/r2rt_n5/default            loss of the checkpoints on held-out data
  python run.py generate runs/text_python_docs/default --prompt "The " --length 300
  python run.py score runs/text_python_docs/default "The "     the log-probability of a text
  python run.py states runs/digits_lstm/default          a picture of c, h and each gate
  python run.py export runs/r2rt_n5/default              a checkpoint for tf.train.Saver
  python run.py reproduce r2rt_part1                     a study: many runs, claims, a report
  python run.py claim runs/r2rt_n5/default --loss 0.52   a study of your own, as YAML
  python run.py credit r2rt_n10 truncation.kind=true_bptt truncation.depth=4
  python run.py gradients r2rt_n10                       error signal by lag, each style's bias
  python run.py advise r2rt_n10                          the num_steps and style for these data
  python run.py describe r2rt_n10                        shapes, parameters, memory, work
  python run.py bench                                    speed on this machine

tab completion: eval "$(register-python-argcomplete rnn-experiments)"

exit codes: 0 done; 1 a run failed or a claim did not hold; 2 wrong command or config;
130 interrupted
"""

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "list": (
        ("list", "each with its description"),
        ("list --json", "the same as JSON"),
    ),
    "config": (
        ("config r2rt_n5", "the whole config, every default included"),
        ("config r2rt_n5 name=mine graph.num_steps=10 > mine.yaml", "a file to train from"),
        ("config text_python_docs model.cell=lstm", "to check an override without training"),
    ),
    "train": (
        ("train r2rt_n5", "write the run to runs/r2rt_n5/default; rerun to resume it"),
        ("train r2rt_n5 training.seeds=3", "three seeds, in runs/r2rt_n5/training.seeds=3"),
        ("train mine.yaml --run-dir runs/first -q", "your own experiment, without progress lines"),
        (
            "train r2rt_n5 model.cell=weighted_gru --cells examples/weighted_gru.py",
            "your own cell",
        ),
    ),
    "sweep": (
        ("sweep r2rt_width --dry-run", "the points and the estimated time"),
        ("sweep r2rt_n5 graph.num_steps=1,5,10", "one run for each value"),
        (
            "sweep lag_17 'truncation={kind:full},{kind:tf_style,depth:18}' --workers 2",
            "vary several keys together, two points at a time",
        ),
    ),
    "reproduce": (
        ("reproduce r2rt_part1", "r2rt's first post: runs, claims, a report"),
        ("reproduce horizon training.seeds=2 --out reports/quick", "a quick look with fewer seeds"),
        (
            "reproduce my_study.yaml --seeds-until decided",
            "your own study, with as many seeds as it needs",
        ),
    ),
    "claim": (
        ("claim runs/r2rt_n5/default --loss 0.52 --tolerance 0.01", "a study to edit"),
        ("claim runs/a --below runs/b > my_study.yaml", "run a ends below run b"),
    ),
    "runs": (
        ("runs", "every run below runs/"),
        ("runs runs/lag_17 --where 'graph.num_steps>10 and status=complete'", "some of them"),
        ("runs --where 'status=failed or status=diverged' --remove", "remove them, after asking"),
        ("runs runs/r2rt_n5 --archive r2rt_n5.tar.gz --remove", "archive, then remove"),
    ),
    "diff": (
        ("diff runs/r2rt_n5/default runs/r2rt_n5/graph.num_steps=3", "keys, versions, losses"),
        ("diff runs/a runs/b --json", "the same as JSON"),
    ),
    "compare": (
        ("compare runs/r2rt_n5 runs/r2rt_n10", "all runs of two experiments"),
        ("compare runs/lag_17 --out reports/lag_17", "all runs of one experiment"),
    ),
    "evaluate": (
        ("evaluate runs/r2rt_n5/default", "the loss of the last checkpoints on held-out data"),
        ("evaluate runs/imdb/default --checkpoint best --batch-size 7", "the best checkpoint"),
        ("evaluate runs/r2rt_n5/default --json", "the same as JSON"),
        ("evaluate runs/captions/default --position 3", "the loss at the third time step"),
    ),
    "generate": (
        ('generate runs/text_python_docs/default --prompt "The "', "500 more symbols"),
        (
            "generate runs/text_python_docs/default --temperature 0",
            "always the likeliest symbol, nothing random",
        ),
        (
            "generate runs/text_python_docs/default --top-k 5 --at-spaces",
            "less random: one of the 5 likeliest, after spaces only",
        ),
    ),
    "score": (
        (
            "score runs/text_python_docs/default 'The statement'",
            "the log-probability of each symbol and of the whole text",
        ),
        ("score runs/text_python_docs/default 'import os' --json", "the same as JSON"),
    ),
    "neighbours": (
        ("neighbours runs/ptb_vanilla/default market", "the 10 nearest words, by cosine"),
        ("neighbours runs/ptb_vanilla/default one --count 3", "the 3 nearest"),
    ),
    "states": (
        ("states runs/digits_lstm/default --example 3", "c, h and each gate, row by row"),
        ("states runs/text_python_docs/default --prompt 'The for statement'", "along your text"),
    ),
    "export": (
        ("export runs/r2rt_n5/default", "reports/export/model.ckpt and its graph"),
        ("export runs/imdb/default --checkpoint best --out imdb_model", "into imdb_model"),
    ),
    "credit": (
        ("credit r2rt_n10 truncation.kind=true_bptt truncation.depth=4", "how far errors reach"),
        ("credit lag_17 graph.num_steps=12 --json", "the summary as JSON"),
    ),
    "gradients": (
        ("gradients r2rt_n10", "the error signal by lag, the bias of each style"),
        ("gradients r2rt_n10 graph.num_steps=20 --out reports/wide", "a wider graph"),
        ("gradients runs/r2rt_n10/default", "at the last checkpoints of a run"),
    ),
    "advise": (
        ("advise r2rt_n10", "the num_steps and the style to take, and the cost"),
        (
            "advise my_text.yaml --budget 10m --tolerance 0.1",
            "a longer pilot, a stricter limit on the bias",
        ),
        (
            "advise lag_17 --check --out reports/advise-lag_17",
            "also train the advised setting against others",
        ),
    ),
    "describe": (
        ("describe r2rt_n10", "the shape of every tensor, parameters, memory and work"),
        ("describe lag_17 truncation.kind=tf_style --out reports/lag_17", "also draw the graph"),
        ("describe shakespeare --json", "the same as JSON"),
    ),
    "bench": (
        ("bench", "speed on this machine, as ratios to a baseline"),
        ("bench updates peers --out reports/bench_2", "two parts of it, in another folder"),
    ),
}  # fmt: skip


def examples_of(command: str) -> str:
    """The examples of a command, as the last part of its help."""
    lines = ["examples:"]
    for text, purpose in EXAMPLES.get(command, ()):
        lines += [f"  python run.py {text}", f"      {purpose}"]
    return "\n".join(lines)
