"""The account of a build: everything asked for is kept or left out by a named reason, and it must balance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from wrongcot_data.pool.budget import Stopped
from wrongcot_data.pool.progress import End
from wrongcot_data.records import Grade, Sample

Refusal = Literal[
    "the request failed", "not finished", "no answer", "answer disputed", "answer changed", "talk about the rewriting",
    "near copy", "unrelated text", "not complete", "quantity missing", "new quantity", "new false equation",
]  # fmt: skip
"""Why a rewriting is no paraphrase; see `variants/paraphrase/acceptance.py`."""

Unspoilt = Literal[
    "the request failed", "not finished", "no reply", "talk about the step", "step unchanged", "several changes",
    "not one statement", "another step changed", "not a false step",
]  # fmt: skip
"""Why a step that was to be written again with a mistake is not that; see `variants/corrupt/teacher/acceptance.py`."""

LeftOut = (
    Literal[
        "attempts used up",
        "hopeless",
        "only duplicates left",
        "no reference trace",
        "reference trace not correct",
        "no trace to paraphrase",
        "no checkable step",
        "base has an invalid step",
        "base is too long",
        "too few steps can be made wrong",
        "not matched",
        "not in every part",
    ]
    | Refusal
    | Stopped
)


@dataclass(slots=True)
class Replies:
    """Counts of what models were asked for.

    Attributes:
        samples: every reply that the build called for, by grade.
        replies: how many of them there are, counted apart from their grades.
        tokens, prompt_tokens: written and read by the teacher for these samples.
        spare_replies, spare_tokens: of these problems, in the journal and not called for: asked ahead, or by a larger
            build.
    """

    samples: Counter[str] = field(default_factory=Counter)
    replies: int = 0
    tokens: int = 0
    prompt_tokens: int = 0
    spare_replies: int = 0
    spare_tokens: int = 0

    def count_samples(self, samples: Sequence[Sample], spare: Sequence[Sample] = ()) -> None:
        """Account for a problem's samples, and for those that are there and not called for."""
        self.spare_replies += len(spare)
        self.spare_tokens += sum(sample.n_tokens for sample in spare)
        self.replies += len(samples)
        for sample in samples:
            self.samples[sample.verdict.grade] += 1
            self.tokens += sample.n_tokens
            self.prompt_tokens += sample.n_prompt_tokens


@dataclass(slots=True)
class Judged(Replies):
    """Counts of what a model was asked about traces; `correct` are the replies that were accepted.

    Attributes:
        refused: the others, by reason.
    """

    refused: Counter[str] = field(default_factory=Counter)

    def count_samples(self, samples: Sequence[Sample], spare: Sequence[Sample] = ()) -> None:
        """Account for the replies to a question, and for those that are there and not called for."""
        Replies.count_samples(self, samples, spare)
        refused = [sample.verdict for sample in samples if sample.verdict.grade != "correct"]
        self.refused.update(refusal_of(verdict.grade, verdict.reason) for verdict in refused)


@dataclass(slots=True)
class Receipt(Replies):
    """Counts of rows, of the pool's samples, and of what models were asked about traces.

    Attributes:
        asked, kept: rows by variant.
        left_out: rows that could not be had, by variant and reason.
        judged: what models were asked about traces, by the config of the replies.
    """

    asked: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    left_out: dict[str, Counter[str]] = field(default_factory=dict)
    judged: dict[str, Judged] = field(default_factory=dict)

    def leave_out(self, variant: str, reason: LeftOut, count: int) -> None:
        """Account for rows that a variant lacks."""
        if count:
            self.left_out.setdefault(variant, Counter())[reason] += count


def refusal_of(grade: Grade, reason: str) -> Refusal:
    """Why a reply about a trace was not accepted, from its verdict, without what was found."""
    name = reason.partition(":")[0]
    return name if grade != "error" else "the request failed"  # type: ignore[return-value]


def why_short(samples: Sequence[Sample], grade: Grade, kept: int, end: End | None, stopped: Stopped | None) -> LeftOut:
    """Why a problem has fewer distinct samples of a grade than were asked for.

    Args:
        kept: distinct samples of the grade that there are.
        end: why no more were asked for; None if the build stopped before it had enough.
        stopped: why the build stopped.
    """
    if end is None:
        return stopped or "stopped early"
    if end == "hopeless":
        return "hopeless"
    of_grade = sum(sample.verdict.grade == grade for sample in samples)
    return "only duplicates left" if of_grade > kept else "attempts used up"


def faults(receipt: Receipt, written: Mapping[str, int]) -> list[str]:
    """What does not add up; empty if the receipt balances.

    Args:
        written: rows by config as counted in the files themselves, `samples` among them.
    """
    found = []
    for variant, asked in receipt.asked.items():
        kept, left = receipt.kept[variant], receipt.left_out.get(variant, Counter()).total()
        if asked != kept + left:
            found.append(f"{variant}: asked for {asked}, but kept {kept} and left out {left}")
        if written.get(variant) != kept:
            found.append(f"{variant}: kept {kept}, but its files hold {written.get(variant)} rows")
    if receipt.samples.total() != receipt.replies:
        found.append(f"samples: {receipt.replies} replies, but {receipt.samples.total()} grades")
    if written.get("samples", 0) != receipt.replies:
        found.append(f"samples: {receipt.replies} replies, but their files hold {written.get('samples', 0)} rows")
    for config, judged in receipt.judged.items():
        rows, explained = written.get(config, 0), judged.samples["correct"] + judged.refused.total()
        if not judged.replies == judged.samples.total() == explained == rows:
            found.append(
                f"{config}: {judged.replies} replies, but {judged.samples.total()} grades,"
                f" {explained} accepted or refused, and {rows} rows"
            )
    return found


def _judged(judged: Judged) -> dict[str, Any]:
    """What became of the replies about traces."""
    return {
        "replies": judged.replies,
        "accepted": judged.samples["correct"],
        "refused": dict(sorted(judged.refused.items())),
        "samples": dict(sorted(judged.samples.items())),
        "tokens": judged.tokens,
        "prompt_tokens": judged.prompt_tokens,
        "spare": {"replies": judged.spare_replies, "tokens": judged.spare_tokens},
    }


def to_json(receipt: Receipt, written: Mapping[str, int]) -> dict[str, Any]:
    """The receipt as it stands in the manifest and in the output of `build --json`."""
    reasons: Counter[str] = Counter()
    for counter in receipt.left_out.values():
        reasons.update(counter)
    return {
        "asked": receipt.asked.total(),
        "kept": dict(sorted(receipt.kept.items())),
        "left_out": dict(sorted(reasons.items())),
        "samples": dict(sorted(receipt.samples.items())),
        "tokens": receipt.tokens,
        "prompt_tokens": receipt.prompt_tokens,
        "spare": {"replies": receipt.spare_replies, "tokens": receipt.spare_tokens},
        **{config: _judged(judged) for config, judged in receipt.judged.items()},
        "balanced": not faults(receipt, written),
        "by_variant": {
            variant: {
                "asked": asked,
                "kept": receipt.kept[variant],
                "left_out": dict(sorted(receipt.left_out.get(variant, Counter()).items())),
            }
            for variant, asked in sorted(receipt.asked.items())
        },
    }
