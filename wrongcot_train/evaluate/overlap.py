"""Items that a student was trained on, by the name of the problem and by its words.

Where a student was trained by us its record says on what; else whoever asks may say it. What cannot be looked at is
said to be unchecked: no overlap found is only worth something where it was looked for.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput, CheckFailed, WrongcotError, unknown
from wrongcot_data.publish.dataset import MANIFEST
from wrongcot_data.records import Problem
from wrongcot_data.tasks.base import Task
from wrongcot_data.versions.dataset_ref import parse_ref
from wrongcot_data.versions.locate import Located, locate
from wrongcot_train.data import count_rows, row_files, variants
from wrongcot_train.evaluate.scoring import score_items

RECORD = "sft.json"
"""In a student's folder: what it was trained on."""

WORDS = 8
"""In a row that two problems share: as in open-r1's check. docs/evaluating.md has how many of the official test items
share as many with a training problem that is another one."""

MOST = 0.5
"""Share of an item's runs of words from which it is taken for a copy and not for a phrase."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Rows that a student was trained on, on this machine.

    Attributes:
        name: as somebody named it.
        commit: on the Hub; empty where it comes from none.
        configs: of it, those that were trained on or may have been.
        changed: whether it holds something else now than when the student was trained.
    """

    name: str
    folder: Path
    commit: str
    configs: tuple[str, ...]
    changed: bool = False


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """What is known of a student's training: where it can be looked at, and what cannot be and why."""

    sets: tuple[TrainingSet, ...]
    not_checked: tuple[str, ...]


def trained_on(model: str, named: Sequence[str]) -> TrainedOn:
    """What a student was trained on: by its own record, and what is named beside it.

    Args:
        model: as the user named it; a folder with a record says it itself.
        named: data sets as `DATASET` or `DATASET:VARIANT`.

    Raises:
        BadInput, CheckFailed, Unavailable: a data set that was named has no such variant, is damaged or cannot be had.
            What only the record names is unchecked then.
    """
    sets = [_training_set(text, locate(parse_ref(text))) for text in named]
    record = Path(model) / RECORD
    if not record.is_file():
        return TrainedOn(tuple(sets), () if sets else (f"no record says what {model} was trained on",))
    try:
        return TrainedOn((*sets, _recorded(record)), ())
    except (WrongcotError, ValueError, KeyError, TypeError, OSError) as error:
        story = error.message if isinstance(error, WrongcotError) else f"{record} cannot be read"
        return TrainedOn(tuple(sets), (story,))


def _training_set(name: str, at: Located) -> TrainingSet:
    there = variants(at.folder)
    if at.config and at.config not in there:
        raise unknown("variant", at.config, there)
    configs = (at.config,) if at.config else tuple(there)
    for config in configs:
        count_rows(at.folder, config)
    return TrainingSet(name, at.folder, at.commit, configs)


def _recorded(record: Path) -> TrainingSet:
    """The data set of a student's record.

    A name with a commit is on the Hub, and is looked for there at that very commit; any other is a folder.
    """
    told = json.loads(record.read_text(encoding="utf-8"))
    name, commit, variant = str(told["dataset"]), str(told.get("dataset_commit") or ""), str(told["variant"])
    if not commit and not Path(name).is_dir():
        raise BadInput(f"its data set {name} is not here")
    ref = parse_ref(name)
    at = locate(replace(ref, version=None, commit=commit, config=variant) if ref.repo and commit else ref, [variant])
    found = _training_set(name, replace(at, config=variant))
    manifest = hashlib.sha256((at.folder / MANIFEST).read_bytes()).hexdigest()
    return replace(found, commit=commit, changed=manifest != told.get("dataset_manifest_sha256", manifest))


def find_overlap(
    task: Task, trained: TrainedOn, problems: Mapping[str, Problem], items: Sequence[Sequence[Mapping[str, Any]]]
) -> dict[str, Any]:
    """The items that were trained on, and the accuracy without them.

    Args:
        problems: by id, in the order of the items.
        items: the graded replies to each.

    Returns:
        plain values: `checked` and what was `not_checked`; the `datasets`; how many items were found `by_id`, how many
        share `WORDS` words in a row with a training problem (`by_ngram`) or `MOST` of all such runs (`by_text`);
        `items`, the ids of those found by id or text; `shared`, the share of runs of every item that has any;
        `without`, both accuracies without `items`, and `without_ngram`, without any that shares a run.
    """
    texts = {name: own_text(task, problem) for name, problem in problems.items()}
    runs = {name: word_runs(text) for name, text in texts.items() if text}
    ids, seen, datasets, not_checked = set[str](), set[tuple[str, ...]](), [], [*trained.not_checked]
    wanted = frozenset[tuple[str, ...]]().union(*runs.values())
    for one in trained.sets:
        try:
            rows = _look_through(one, wanted, ids, seen)
        except CheckFailed as error:
            not_checked.append(error.message)
            continue
        datasets.append(
            {"name": one.name, "commit": one.commit, "configs": list(one.configs), "rows": rows, "changed": one.changed}
        )
    shared = {name: len(own & seen) / len(own) for name, own in runs.items() if own & seen}
    by_id = [name for name in problems if name in ids]
    by_text = [name for name in shared if shared[name] >= MOST]
    found = [name for name in problems if name in {*by_id, *by_text}]
    return {
        "checked": bool(datasets),
        "not_checked": not_checked,
        "datasets": datasets,
        "by_id": len(by_id),
        "by_ngram": len(shared),
        "by_text": len(by_text),
        "items": found,
        "shared": {name: round(value, 4) for name, value in shared.items()},
        "without": _score_without(frozenset(found), items),
        "without_ngram": _score_without(frozenset(found) | shared.keys(), items),
    }


def own_text(task: Task, problem: Problem) -> str:
    """What is a problem's own of its prompt: its question. Empty where it has none.

    The instructions that all prompts of a task share are no overlap. Neither are the words around a puzzle's numbers:
    of Countdown, numbers and target *are* the problem, and its id names exactly these.
    """
    return str(problem.data.get("question", "")) if "question" in task.columns else ""


def word_runs(text: str) -> frozenset[tuple[str, ...]]:
    """All runs of `WORDS` words of a text in lower case, punctuation left out; a shorter text is one run."""
    words = _WORD.findall(text.lower())
    return (
        frozenset(tuple(words[at : at + WORDS]) for at in range(max(1, len(words) - WORDS + 1)))
        if words
        else frozenset()
    )


def _look_through(
    one: TrainingSet, wanted: frozenset[tuple[str, ...]], ids: set[str], seen: set[tuple[str, ...]]
) -> int:
    """Add the ids of a data set's problems to `ids`, and to `seen` what they have of the `wanted` runs; its rows.

    Raises:
        CheckFailed: a file is missing or damaged.
    """
    rows = 0
    read: set[str] = set()
    for config in one.configs:
        for name, text in _rows(one.folder, config):
            rows += 1
            ids.add(name)
            if wanted and text not in read:
                read.add(text)
                seen |= word_runs(text) & wanted
    return rows


def _rows(folder: Path, config: str) -> Iterator[tuple[str, str]]:
    """Id and text of the problem of every row: the question where there is one, else what the prompt's user says."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        for file in row_files(folder, config):
            with pq.ParquetFile(file) as table:
                there = set(table.schema_arrow.names)
                said = next((name for name in ("question", "prompt") if name in there), None)
                columns = [name for name in ("problem_id", said) if name in there]
                for batch in table.iter_batches(columns=columns):
                    for row in batch.to_pylist():
                        yield str(row.get("problem_id") or ""), _said(row.get(said) if said else None)
    except (OSError, pa.ArrowException) as error:
        raise CheckFailed(f"the files of {config!r} in {folder} cannot be read") from error


def _said(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(turn["content"] for turn in value if turn.get("role") == "user")
    return str(value or "")


def _score_without(found: frozenset[str], items: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, Any] | None:
    """Both accuracies without some items; None where none is left out or none is left."""
    kept = [item for item in items if item[0]["problem_id"] not in found]
    if not kept or len(kept) == len(items):
        return None
    scores = score_items(kept)
    return {name: scores[name] for name in ("n", "strict", "answered")}
