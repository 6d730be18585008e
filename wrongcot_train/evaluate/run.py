"""An eval from its first question to its score."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput
from wrongcot_data.parallel import in_order
from wrongcot_data.spec import content_hash
from wrongcot_train.evaluate.asking import ask
from wrongcot_train.evaluate.exam import Exam
from wrongcot_train.evaluate.items import ITEMS, Item, grade_reply, item_row, write_items
from wrongcot_train.evaluate.overlap import find_overlap
from wrongcot_train.evaluate.samples import no_vote, pass_at, sizes, vote_at
from wrongcot_train.evaluate.scoring import score_items, share
from wrongcot_train.outputs import versions, write_json
from wrongcot_train.replies import Key, Reply, read_replies, reply_log

REPLIES = "items.jsonl"
SCORE = "score.json"

DTYPES = frozenset({"float32", "bfloat16", "float16"})


def evaluate(exam: Exam, out: Path, progress: Callable[[int], None]) -> dict[str, Any]:
    """Ask what has not been asked yet, grade everything, write items and score.

    The same `out` again goes on where it was, with more items or more replies an item too; one that holds another eval
    is refused. `progress` is told how many items have all their replies.

    Returns:
        the score, as in `out/score.json`.

    Raises:
        BadInput: `out` holds something else.
        Unavailable: the engine cannot run here.
    """
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / REPLIES).is_file()):
        raise BadInput(f"{out} holds something else, which is left alone", try_=["--out ANOTHER"])
    started = time.monotonic()
    samples = exam.spec.samples
    wanted = [(name, sample) for name in exam.problems for sample in range(samples)]
    replies = read_replies(out / REPLIES, exam.identity)
    waiting = [key for key in wanted if key not in replies]
    replies_reused, items_reused = len(wanted) - len(waiting), _whole(exam, waiting)
    if waiting:
        _ask_all(exam, out / REPLIES, waiting, replies, progress)
    graded = in_order(lambda key: grade_reply(exam, replies[key]), wanted)
    items = [list(item) for item in zip(*[graded] * samples, strict=True)]
    rows = list(in_order(lambda item: item_row(exam, item), items))
    write_items(out / ITEMS, exam.task, rows, samples)
    engines = sorted({replies[key].engine for key in wanted})
    score = {
        **score_items(items),
        **score_samples(exam, items, rows),
        "errors": commonest_errors(items),
        "model": exam.model.name,
        **exam.identity,
        "top_p": exam.sampling.top_p,
        "prompt": exam.form.name,
        "shots": exam.form.shots,
        "engine": " + ".join(engines),
        "dtype": " + ".join(sorted({dtype_of(engine) for engine in engines} - {""})),
        "saved_dtype": exam.saved_dtype,
        "sandbox": " + ".join(sorted({reply["sandbox"] for item in items for reply in item} - {""})),
        "items_sha256": content_hash([*exam.problems]),
        "grader_version": exam.task.grader_version,
        "overlap": find_overlap(exam.task, exam.trained, exam.problems, items),
        "items_reused": items_reused,
        "replies_reused": replies_reused,
        "seconds": round(time.monotonic() - started, 1),
        "versions": versions(),
    }
    write_json(out / SCORE, score)
    return score


def commonest_errors(items: Sequence[Item], most: int = 3) -> dict[str, int]:
    """Why requests failed, and how often; the commonest first."""
    told = Counter(reply["error"] for item in items for reply in item if reply["grade"] == "error")
    return dict(told.most_common(most))


def _whole(exam: Exam, waiting: Sequence[Key]) -> int:
    """Items that no reply is missing of."""
    return len(exam.problems) - len({name for name, _ in waiting})


def _ask_all(
    exam: Exam, path: Path, waiting: Sequence[Key], replies: dict[Key, Reply], progress: Callable[[int], None]
) -> None:
    """Ask for these replies, put each on the disk, and add it to those that there are."""
    missing = Counter(name for name, _ in waiting)
    done = _whole(exam, waiting)
    with reply_log(path, exam.identity, replies.values()) as log:
        for batch in ask(exam, waiting):
            log.add(batch)
            for reply in batch:
                replies[reply.problem_id, reply.sample] = reply
                missing[reply.problem_id] -= 1
                done += missing[reply.problem_id] == 0
            progress(done)


def score_samples(exam: Exam, items: Sequence[Item], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many replies an item has, and pass@k and maj@k by k, each with its interval over items.

    `maj_at` is None where no majority can be counted; `no_vote` says why.
    """
    samples = exam.spec.samples
    wholes = [samples] * len(items)
    correct = [[bool(reply["correct"]) for reply in item] for item in items]
    why = no_vote(exam.task)
    # of a single reply the majority is that reply
    alike = [row["alike"] for row in rows] if samples > 1 else [[0]] * len(items)

    def told(values: Sequence[float]) -> dict[str, Any]:
        found = share([samples * value for value in values], wholes)
        return {name: found[name] for name in ("value", "low", "high")}

    passed = {k: [pass_at(samples, sum(right), k) for right in correct] for k in sizes(samples)}
    majority = (
        None
        if why
        else {
            str(k): told([vote_at(same, right, k) for same, right in zip(alike, correct, strict=True)])
            for k in sizes(samples)
        }
    )
    return {
        "samples": samples,
        "pass_at": {str(k): told(values) for k, values in passed.items()},
        "maj_at": majority,
        "no_vote": why,
    }


def dtype_of(engine: str) -> str:
    """The arithmetic that an engine's name tells, such as `float32`; empty where it tells none, as a server's."""
    return next((word for word in engine.replace(",", " ").split() if word in DTYPES), "")
