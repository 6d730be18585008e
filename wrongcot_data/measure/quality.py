"""What a set of traces is like: counts, lengths, verdicts of steps, and what a final answer says of the way to it.

Pure, row by row, in memory that does not grow with the rows, and the same whatever order the rows come in.

A step is *checked* if it is `valid` or `invalid`. Shares of answers are taken of the traces in which they can be told:

* a right answer with an invalid step: of right answers with a checked step;
* a wrong answer without an invalid step: of wrong answers with a checked step;
* a wrong answer with a sound prefix, all checked steps before the last one valid: of wrong answers with two or more.
"""

from __future__ import annotations

import hashlib
from bisect import insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wrongcot_data.measure.distribution import Distribution

Row = Mapping[str, Any]

VERDICTS = ("valid", "invalid", "unchecked")

N_PARTS = 20
"""Parts of a trace in which first errors are counted: each is 5 % of its characters."""

N_EXAMPLES = 3
SHOWN = 1500
"""Characters of an example; the row has all of it."""

FLAWED = "right answer, invalid step"
UNFLAWED = "wrong answer, no invalid step"
SOUND = "wrong answer, sound prefix"
CASES = (FLAWED, UNFLAWED, SOUND)


@dataclass(slots=True)
class Few:
    """The examples with the smallest keys: a choice that does not lean to either end of a set."""

    kept: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def offer(self, row: Row) -> None:
        """Keep a row as an example if its key is small enough."""
        text = row["completion"][0]["content"]
        key = hashlib.sha256(f"{row['problem_id']}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()
        if len(self.kept) < N_EXAMPLES or key < self.kept[-1][0]:
            insort(self.kept, (key, _example(row, text)), key=lambda pair: pair[0])
            del self.kept[N_EXAMPLES:]


def _example(row: Row, text: str) -> dict[str, Any]:
    wrong = next((step for step in row["steps"] if step["verdict"] == "invalid"), None)
    return {
        "problem_id": row["problem_id"],
        "answer": _shortened(row["answer"]),
        "reference_answer": _shortened(row["reference_answer"]),
        "completion": _shortened(text),
        "first_invalid_step": _shortened(wrong["text"]) if wrong else "",
        "kind": wrong["kind"] if wrong else "",
    }


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} ..."


@dataclass(slots=True)
class TraceQuality:
    """The account of one variant; `add` every row, then ask for the `report`.

    Attributes:
        kinds, operators: invalid steps by what is wrong with them, and by the corruption that made them so.
        flawed_by: traces that have a step of the kind.
        first_errors: traces by the part of them, of `N_PARTS`, in which their first invalid step begins.
        checked, prefixed: traces by grade that have at least one checked step, at least two.
        cases: traces by what their answer says of their steps, of `CASES`.
        examples: each trace as one of its first case only, so that those of a sound prefix are flawed after it.
    """

    rows: int = 0
    grades: Counter[str] = field(default_factory=Counter)
    levels: Counter[int] = field(default_factory=Counter)
    characters: Distribution = field(default_factory=Distribution)
    tokens: Distribution = field(default_factory=Distribution)
    steps: Distribution = field(default_factory=Distribution)
    verdicts: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    flawed_by: Counter[str] = field(default_factory=Counter)
    operators: Counter[str] = field(default_factory=Counter)
    first_errors: Counter[int] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    prefixed: Counter[str] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)
    examples: dict[str, Few] = field(default_factory=lambda: {case: Few() for case in CASES})

    def add(self, row: Row) -> None:
        """Take in one published trace."""
        steps = row["steps"]
        length = len(row["completion"][0]["content"])
        self.rows += 1
        self.grades[row["grade"]] += 1
        self.levels[row["level"]] += 1
        self.characters.add(length)
        if row["n_tokens"] > 0:
            self.tokens.add(row["n_tokens"])
        self.steps.add(len(steps))
        self._add_steps(steps, length)
        checked = [step["verdict"] for step in steps if step["verdict"] != "unchecked"]
        self.checked[row["grade"]] += bool(checked)
        self.prefixed[row["grade"]] += len(checked) > 1
        found = cases(row["grade"], checked)
        self.cases.update(found)
        if found:
            self.examples[found[0]].offer(row)

    def _add_steps(self, steps: Sequence[Row], length: int) -> None:
        invalid = [step for step in steps if step["verdict"] == "invalid"]
        self.verdicts.update(step["verdict"] for step in steps)
        self.kinds.update(step["kind"] for step in invalid)
        self.flawed_by.update({step["kind"] for step in invalid})
        self.operators.update(step["operator"] for step in invalid if step["operator"])
        if invalid:
            self.first_errors[min(N_PARTS - 1, N_PARTS * invalid[0]["start"] // max(1, length))] += 1

    def report(self) -> dict[str, Any]:
        """The account as plain values; docs/report.md tells what each is."""
        right, wrong = self.grades["correct"], self.grades["wrong"]
        return {
            "rows": self.rows,
            "grades": _sorted(self.grades),
            "levels": {str(level): self.levels[level] for level in sorted(self.levels)},
            "characters": self.characters.summary(),
            "tokens": self.tokens.summary(),
            "rows_with_tokens": self.tokens.count,
            "steps": {
                "total": self.verdicts.total(),
                **{verdict: self.verdicts[verdict] for verdict in VERDICTS},
                "per_trace": self.steps.summary(),
            },
            "kinds": {
                kind: {"steps": count, "rows": self.flawed_by[kind]} for kind, count in _sorted(self.kinds).items()
            },
            "operators": _sorted(self.operators),
            "first_invalid_step": {
                "rows": self.first_errors.total(),
                "by_part": [self.first_errors[part] for part in range(N_PARTS)],
            },
            "right_answers": {
                "rows": right,
                "checked": self.checked["correct"],
                "with_invalid_step": self.cases[FLAWED],
                "share_with_invalid_step": share(self.cases[FLAWED], self.checked["correct"]),
            },
            "wrong_answers": {
                "rows": wrong,
                "checked": self.checked["wrong"],
                "without_invalid_step": self.cases[UNFLAWED],
                "share_without_invalid_step": share(self.cases[UNFLAWED], self.checked["wrong"]),
                "two_checked": self.prefixed["wrong"],
                "sound_prefix": self.cases[SOUND],
                "share_sound_prefix": share(self.cases[SOUND], self.prefixed["wrong"]),
            },
            "examples": {case: [example for _, example in few.kept] for case, few in self.examples.items() if few.kept},
        }


def cases(grade: str, checked: Sequence[str]) -> list[str]:
    """What a trace's answer says of its steps, of `CASES`.

    Args:
        checked: verdicts of its checked steps, in order.
    """
    flawed = "invalid" in checked
    if grade == "correct":
        return [FLAWED] if flawed else []
    found = [UNFLAWED] if checked and not flawed else []
    sound = len(checked) > 1 and "invalid" not in checked[:-1]
    return found + [SOUND] * sound if grade == "wrong" else []


def trace_quality(rows: Iterable[Row]) -> dict[str, Any]:
    """The report of one variant."""
    quality = TraceQuality()
    for row in rows:
        quality.add(row)
    return quality.report()


def sample_quality(rows: Iterable[Row]) -> dict[str, Any]:
    """The report of the pool: every reply, whatever its grade. Its steps are not cut."""
    grades: Counter[str] = Counter()
    characters, tokens = Distribution(), Distribution()
    for row in rows:
        grades[row["grade"]] += 1
        characters.add(len(row["completion"]))
        if row["n_tokens"] > 0:
            tokens.add(row["n_tokens"])
    return {
        "rows": grades.total(),
        "grades": _sorted(grades),
        "characters": characters.summary(),
        "tokens": tokens.summary(),
        "rows_with_tokens": tokens.count,
    }


def preference_quality(rows: Iterable[Row]) -> dict[str, Any]:
    """The report of the pairs: how long either side is, since a preference for length is learnt the soonest."""
    chosen, rejected = Distribution(), Distribution()
    for row in rows:
        chosen.add(len(row["chosen"][0]["content"]))
        rejected.add(len(row["rejected"][0]["content"]))
    return {
        "rows": chosen.count,
        "chosen_characters": chosen.summary(),
        "rejected_characters": rejected.summary(),
    }


def stepwise_quality(rows: Iterable[Row]) -> dict[str, Any]:
    """The report of the labelled steps: how many are right, and of those how many were checked."""
    count, steps = 0, Distribution()
    labels: Counter[bool] = Counter()
    checked = 0
    for row in rows:
        count += 1
        steps.add(len(row["labels"]))
        labels.update(row["labels"])
        checked += sum(verdict == "valid" for verdict in row["verdicts"])
    return {
        "rows": count,
        "steps_per_row": steps.summary(),
        "labels": {"true": labels[True], "false": labels[False], "true_and_checked": checked},
    }


def traces_of(configs: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The configs of a report that hold traces, and have any."""
    return {name: one for name, one in configs.items() if "kinds" in one and one["rows"]}


def share(part: int, whole: int) -> float | None:
    """`part / whole` to four places; None where there is nothing to share."""
    return round(part / whole, 4) if whole else None


def median_part(by_part: Sequence[int]) -> str:
    """Where the middle one of the first errors lies, such as `40 to 45 %`; empty where there is none."""
    seen, total = 0, sum(by_part)
    for part, count in enumerate(by_part):
        seen += count
        if count and 2 * seen >= total:
            width = 100 // len(by_part)
            return f"{part * width} to {(part + 1) * width} %"
    return ""


def _sorted(counts: Counter[str]) -> dict[str, int]:
    """Most frequent first, then by name."""
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
