#!/usr/bin/env python3
"""Trained tokens a second: `wrongcot-train sft` beside `trl sft` and `trl sft --packing`, all three as real commands.

    .venv/bin/python scripts/bench_train.py [--model smollm2-135m] [--rows 64] [--rounds 2] [--json]
    .venv/bin/python scripts/bench_train.py --dataset FOLDER --rows 2048     on a GPU, with a data set that is there

Same weights, same rows (GSM8K's human traces), each row seen once, the same optimiser and learning rate, float32
weights. Every round runs each of them once, in an order that turns; the median of the rounds counts. What each is
given, and what it is left to choose, is printed with the result. On a GPU everything but the batch is its own default;
a CPU needs the words in `ON_CPU`, or `trl sft` does not start or crawls in bfloat16.

* `ours`: this package's defaults, its packing among them.
* `default`: `trl sft` as it comes, which pads, and computes activations twice to save memory.
* `plain`: `default` without that second computation: what padding alone costs.
* `packing`: `trl sft --packing`, as it comes.

Two rates. *Steady* leaves out the first step and everything before it: from TRL's own log lines, by the time at which
each was written and by its count of tokens. *Whole* is the command from start to exit, loading and saving included.
All tokens are counted alike: those of the rows that have a label in our audit, which are the same rows for all.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

TARGETS = {"default": 1.8, "packing": 0.98}
"""Ours is at least so many times as fast as each, by the steady rate."""

ON_CPU = ("--use_cpu", "true", "--bf16", "false")
"""TRL's default is bfloat16 arithmetic, which these CPUs do ten times more slowly than float32."""

PEERS: Mapping[str, Sequence[str]] = {
    "default": (),
    "plain": ("--gradient_checkpointing", "false"),
    "packing": ("--packing",),
}

VARIANT = "reference"


@dataclass(frozen=True)
class Job:
    """What all of them train on.

    Attributes:
        model: a folder with weights and tokenizer.
        dataset: a folder that `wrongcot-data build` made, with as many rows of `VARIANT` as are trained on.
        tokens, trained: of all rows together, by our audit.
        batch: rows a step where rows are not packed; TRL's own default is 8.
        packed_batch: sequences a step of `trl sft --packing`, each of up to 1,024 tokens.
        gpu: whether there is one.
    """

    model: Path
    dataset: Path
    tokens: int
    trained: int
    batch: int
    packed_batch: int
    learning_rate: float
    gpu: bool


@dataclass(frozen=True)
class Timed:
    """One command: rates in trained tokens a second.

    Attributes:
        steady: between the first and the last step; None where there was one step only.
        whole: from start to exit.
        seconds: of the whole command.
        steps: optimiser steps.
    """

    steady: float | None
    whole: float
    seconds: float
    steps: int


def main() -> None:
    """Measure, print a table or one JSON object, and exit with 1 where a target is missed."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench-train-") as folder:
        job = prepare(options, Path(folder))
        commands = all_commands(job, options, Path(folder))
        rounds = list(measure(job, commands, options.rounds, Path(folder)))
    result = summed_up(job, commands, rounds)
    print(json.dumps(result) if options.json else table(result))
    if options.check and not result["met"]:
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2-135m", help="a student's name or folder")
    parser.add_argument("--dataset", type=Path, help="built before; else the first --rows of GSM8K are built")
    parser.add_argument(
        "--source", type=Path, help="GSM8K's train.jsonl; else where WRONGCOT_SHARED has it, or the Hub"
    )
    parser.add_argument("--rows", type=int, default=64, help="traces, each seen once")
    parser.add_argument("--steps", type=int, help="of the runs that do not pack: instead of --rows, so many batches")
    parser.add_argument("--batch-size", type=int, default=8, help="rows a step; 8 is TRL's default")
    parser.add_argument("--packed-batch", type=int, default=8, help="sequences of 1,024 a step of `trl sft --packing`")
    parser.add_argument("--learning-rate", type=float, default=2e-5, help="TRL's default")
    parser.add_argument("--rounds", type=int, default=2, help="of each; the median counts")
    parser.add_argument("--only", default="", metavar="NAMES", help="such as ours,packing")
    parser.add_argument("--ours", default="", metavar="WORDS", help="more flags for wrongcot-train sft")
    parser.add_argument("--trl", default="", metavar="WORDS", help="more flags for trl sft, all three")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a target is missed")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def prepare(options: argparse.Namespace, folder: Path) -> Job:
    """Weights as a folder, rows as a data set, their tokens counted by our own audit."""
    import torch

    from wrongcot_train.students import find_student

    rows = options.steps * options.batch_size if options.steps else options.rows
    dataset = cut(options.dataset, rows, folder / "data") if options.dataset else build(options.source, rows, folder)
    model = find_student(options.model).folder
    plan = run_json(
        [*program("wrongcot_train.cli"), "sft", "--student", str(model), "--dataset", f"{dataset}:{VARIANT}"],
        ["--dry-run", "--json"],
    )
    audit = plan["audit"]
    if audit["rows"] != rows:
        sys.exit(f"{dataset} has {audit['rows']} rows that can be trained on, not {rows}")
    return Job(
        model=model,
        dataset=dataset,
        tokens=audit["tokens"],
        trained=audit["trained_tokens"],
        batch=options.batch_size,
        packed_batch=options.packed_batch,
        learning_rate=options.learning_rate,
        gpu=torch.cuda.is_available(),
    )


def build(source: Path | None, rows: int, folder: Path) -> Path:
    """GSM8K's first human traces, by the real command."""
    shared = os.environ.get("WRONGCOT_SHARED")
    source = source or (Path(shared) / "data" / "gsm8k" / "train.jsonl" if shared else None)
    where = ["--source", str(source)] if source else []
    asked = ["build", "gsm8k", "--variant", VARIANT, "--limit", str(rows), "--view", "none", *where]
    out = folder / "data"
    run_json([*program("wrongcot_data.cli"), *asked], ["--out", str(out), "--journal", str(folder / "j"), "--json"])
    return out


def cut(dataset: Path, rows: int, out: Path) -> Path:
    """A copy of a data set with the first rows of the variant only."""
    import shutil

    import pyarrow.parquet as pq

    (out / VARIANT).mkdir(parents=True)
    for name in ("README.md", "wrongcot.json"):
        shutil.copy(dataset / name, out / name)
    whole = pq.read_table(sorted((dataset / VARIANT).glob("train-*.parquet")))
    pq.write_table(whole.slice(0, rows), out / VARIANT / "train-00000-of-00001.parquet")
    return out


def program(module: str) -> list[str]:
    """One of our programs, as this Python has it."""
    return [sys.executable, "-c", f"from {module} import main; main()"]


def run_json(command: Sequence[str], more: Sequence[str]) -> dict[str, Any]:
    done = subprocess.run([*command, *more], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def all_commands(job: Job, options: argparse.Namespace, folder: Path) -> dict[str, list[str]]:
    """Each way's command by its name; `OUT` stands for the folder of a run."""
    rate = f"{job.learning_rate:g}"
    ours = [*program("wrongcot_train.cli"), "sft", "--student", str(job.model), "--dataset", f"{job.dataset}:{VARIANT}"]
    ours += ["--batch-size", str(job.batch), "--grad-accum", "1", "--epochs", "1", "--learning-rate", rate]
    commands = {"ours": [*ours, *shlex.split(options.ours), "--out", "OUT"]}
    for name, words in PEERS.items():
        batch = job.packed_batch if name == "packing" else job.batch
        peer = [sys.executable, "-c", "from trl.cli import main; main()", "sft", "--model_name_or_path", str(job.model)]
        peer += ["--dataset_name", str(job.dataset), "--dataset_config", VARIANT, "--num_train_epochs", "1"]
        peer += ["--per_device_train_batch_size", str(batch), "--learning_rate", rate, *words]
        # what is measured must be told, and nothing else be done: every step's log line, no checkpoint, no network
        peer += ["--logging_steps", "1", "--save_strategy", "no", "--report_to", "none", "--disable_tqdm", "true"]
        peer += [*([] if job.gpu else ON_CPU), *shlex.split(options.trl), "--output_dir", "OUT"]
        commands[name] = peer
    only = options.only.split(",") if options.only else list(commands)
    return {name: command for name, command in commands.items() if name in only}


def measure(job: Job, commands: Mapping[str, Sequence[str]], rounds: int, folder: Path) -> Iterator[dict[str, Timed]]:
    """Each command once a round. Who begins turns, so that nobody always finds the machine warm."""
    names = list(commands)
    for turn in range(rounds):
        found = {}
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            out = folder / f"{name}-{turn}"
            command = [str(out) if word == "OUT" else word for word in commands[name]]
            found[name] = timed(command, out, job)
            print(f"round {turn + 1}  {name:<8} {found[name]}", file=sys.stderr, flush=True)
        yield {name: found[name] for name in names}


def timed(command: Sequence[str], out: Path, job: Job) -> Timed:
    """Run a command and note when it tells of each step."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}
    began = time.monotonic()
    told: list[str] = []
    steps: list[tuple[float, str]] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            told.append(line)
            if line.startswith("{'loss'") or re.match(r"step \d+/\d+ ", line):
                steps.append((time.monotonic(), line))
    seconds = time.monotonic() - began
    if running.returncode or not steps:
        sys.exit("".join(told[-40:]))
    tokens = tokens_by_step([line for _, line in steps], out)
    share = job.trained / job.tokens
    between = steps[-1][0] - steps[0][0]
    steady = (tokens[-1] - tokens[0]) * share / between if len(steps) > 1 else None
    return Timed(steady, job.trained / seconds, seconds, len(steps))


def tokens_by_step(lines: Sequence[str], out: Path) -> list[int]:
    """Tokens seen up to each step, prompts too.

    `trl sft` prints its log as a Python dict, four digits of each number; ours keeps the same log beside the weights.
    """
    log = out / "training.jsonl"
    kept = map(json.loads, log.read_text().splitlines()) if log.is_file() else map(ast.literal_eval, lines)
    return [int(float(step["num_tokens"])) for step in kept]


def summed_up(job: Job, commands: Mapping[str, Sequence[str]], rounds: Sequence[Mapping[str, Timed]]) -> dict[str, Any]:
    """Medians, ratios of the rates within each round, and whether they are as good as wanted."""
    ways = {name: [one[name] for one in rounds] for name in commands}
    rates = {
        name: {
            "steady": median(run.steady for run in runs if run.steady) if any(run.steady for run in runs) else None,
            "whole": median(run.whole for run in runs),
            "seconds": median(run.seconds for run in runs),
            "steps": runs[0].steps,
        }
        for name, runs in ways.items()
    }
    ratios = {name: ratio(ways, name) for name in PEERS if name in ways and "ours" in ways}
    met = [(ratios[name]["steady"] or 0) >= least for name, least in TARGETS.items() if name in ratios]
    return {
        "machine": machine(job),
        "versions": _versions(),
        "model": job.model.name,
        "rows": {"tokens": job.tokens, "trained": job.trained},
        "commands": {name: shown(command, job) for name, command in commands.items()},
        "rates": rates,
        "ratios": ratios,
        "targets": TARGETS,
        "met": all(met),
        "rounds": [{name: vars(run) for name, run in one.items()} for one in rounds],
    }


def ratio(ways: Mapping[str, Sequence[Timed]], peer: str) -> dict[str, float | None]:
    """How many times as fast ours is as a peer: the median over the rounds of the ratio within each."""
    pairs = list(zip(ways["ours"], ways[peer], strict=True))
    steady = [ours.steady / other.steady for ours, other in pairs if ours.steady and other.steady]
    return {
        "steady": median(steady) if steady else None,
        "whole": median(ours.whole / other.whole for ours, other in pairs),
    }


def shown(command: Sequence[str], job: Job) -> str:
    """A command as one would type it, without the paths of this machine."""
    name = "trl" if "from trl.cli" in command[2] else "wrongcot-train"
    text = shlex.join([name, *command[3:]])
    return text.replace(str(job.dataset), "DATASET").replace(str(job.model), "MODEL")


def machine(job: Job) -> str:
    """What it was measured on."""
    import torch

    if job.gpu:
        return f"{torch.cuda.get_device_name()}, {len(os.sched_getaffinity(0))} cores"
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", info.read_text()) if info.is_file() else None
    cpu = found[1] if found else platform.processor() or platform.machine()
    return f"{cpu}, {len(os.sched_getaffinity(0))} cores, {torch.get_num_threads()} threads"


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("wrongcot", "trl", "transformers", "torch", "datasets", "accelerate")}


def table(result: Mapping[str, Any]) -> str:
    """The result for people."""
    lines = [f"{result['machine']}; trl {result['versions']['trl']}, torch {result['versions']['torch']}"]
    rows = result["rows"]
    lines += [f"{rows['tokens']:,} tokens a pass, {rows['trained']:,} of them trained", ""]
    lines.append(f"{'':<10}{'steps':>6}{'steady':>10}{'whole':>10}{'seconds':>9}   ours is faster by")
    for name, rate in result["rates"].items():
        steady = f"{rate['steady']:,.1f}" if rate["steady"] else "-"
        line = f"{name:<10}{rate['steps']:>6}{steady:>10}{rate['whole']:>10,.1f}{rate['seconds']:>9.0f}"
        if name in result["ratios"]:
            times = result["ratios"][name]
            line += f"   {times['steady']:.2f} steady, {times['whole']:.2f} whole" if times["steady"] else ""
            line += f"   (wanted {result['targets'][name]})" if name in result["targets"] else ""
        lines.append(line)
    lines += ["", "trained tokens a second", ""]
    lines += [f"{name}: {command}" for name, command in result["commands"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
