"""Scores in the form that the Hub shows on a model's page and gathers in leaderboards: `.eval_results/TASK.yaml`.

The form is that of huggingface.co/docs/hub/eval-results, written by `huggingface_hub` itself. Every entry names a data
set on the Hub that the items are from and a task of its leaderboard. So a score on items that are from no such data
set, as Countdown's generated ones or those of a file, has no entry unless the user names a benchmark for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput
from wrongcot_train.card.read import Scored

FOLDER = ".eval_results"

MARK = "# written by wrongcot-train card\n"
"""First line of a file of ours: only such files are replaced or taken away."""

_BENCHMARK = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(?::(?P<task>[\w.-]+))?", flags=re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")


def read_benchmarks(texts: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Data set and task on the Hub by a task of ours, from `ORG/NAME` or `ORG/NAME:TASK_ID`.

    Raises:
        BadInput: a text that is no such name, or a task that we do not have.
    """
    from wrongcot_data.tasks import get_task

    found = {}
    for task, text in texts.items():
        get_task(task)
        named = _BENCHMARK.fullmatch(text)
        if not named:
            raise BadInput(f"{text!r} names no benchmark for {task}", try_=[f"--benchmark {task}=ORG/NAME:TASK_ID"])
        found[task] = (named["id"], named["task"] or task)
    return found


def entry(score: Mapping[str, Any], benchmarks: Mapping[str, tuple[str, str]]) -> dict[str, Any] | None:
    """One score as an entry of the Hub's; None where its items are from no data set there."""
    from huggingface_hub import EvalResultEntry
    from huggingface_hub import eval_result_entries_to_yaml as plain

    named = benchmarks.get(score["task"]) or _own(score)
    if named is None:
        return None
    revision = str(score.get("options", {}).get("revision") or "")
    known = score["task"] not in benchmarks and _COMMIT.fullmatch(revision)
    one = EvalResultEntry(
        dataset_id=named[0],
        task_id=named[1],
        value=round(100 * score["strict"]["value"], 2),
        dataset_revision=revision if known else None,
        notes=notes(score),
    )
    found: dict[str, Any] = plain([one])[0]
    return found


def _own(score: Mapping[str, Any]) -> tuple[str, str] | None:
    """The data set that a task's items are from, unless they were read from a file."""
    from wrongcot_data.tasks import get_task

    data_set = get_task(score["task"]).data_set
    return None if not data_set or score.get("options", {}).get("source") else (data_set, score["task"])


def notes(score: Mapping[str, Any]) -> str:
    """How it was scored, in a line: what a number on a leaderboard hides."""
    strict = score["strict"]
    interval = f"95 % interval {100 * strict['low']:.1f} to {100 * strict['high']:.1f}"
    items = f"{score['n']} items of {score['split']}"
    drawn = "greedy" if score.get("temperature") == 0 else f"temperature {score.get('temperature')}"
    return (
        f"strict, {items}, {interval}, {score['prompt_template']}, {drawn}, wrongcot grader {score['grader_version']}"
    )


def write_results(student: Path, scores: Sequence[Scored], benchmarks: Mapping[str, str]) -> list[str]:
    """Write a file a task; one that we wrote and that says nothing now is taken away.

    Returns:
        the names of the evals that have no entry.
    """
    import yaml

    folder = student / FOLDER
    read = read_benchmarks(benchmarks)
    entries = {
        scored.name: entry(scored.score, read) for scored in scores if scored.score["strict"]["value"] is not None
    }
    texts: dict[str, str] = {}
    for scored in scores:
        made = entries.get(scored.name)
        if made is not None:
            task = scored.score["task"]
            name = task if f"{task}.yaml" not in texts else f"{task}-{scored.name}"
            texts[f"{name}.yaml"] = MARK + yaml.safe_dump([made], sort_keys=False, allow_unicode=True)
    for old in folder.glob("*.yaml"):
        if old.name not in texts and old.read_text(encoding="utf-8", errors="replace").startswith(MARK):
            old.unlink()
    for name, text in texts.items():
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return [scored.name for scored in scores if entries.get(scored.name) is None]
