"""The Hub's metadata of a student, made and checked by `huggingface_hub`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wrongcot_data.teachers.registry import Teacher
from wrongcot_train.card.read import Scored
from wrongcot_train.texts import visible

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

_ON_HUB = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)@[\w.-]+", flags=re.ASCII)


def front_matter(record: Mapping[str, Any], scores: Sequence[Scored], base: Teacher | None, name: str) -> str:
    """The YAML between the `---` lines of a card.

    Args:
        base: what was trained; None where it has no name on the Hub, and then licence and base are left open.
        name: of the student, for its results.
    """
    from huggingface_hub import ModelCardData

    results = [result for scored in scores for result in _results(scored.score)]
    hub_set = hub_data_set(record)
    fields: dict[str, Any] = {
        **_licence(base),
        **({"base_model": base.hub_id, "base_model_relation": "finetune"} if base else {}),
        **({"datasets": [hub_set]} if hub_set else {}),
        **({"eval_results": results, "model_name": _line(name)} if results else {}),
    }
    tasks = sorted({scored.score["task"] for scored in scores})
    data = ModelCardData(
        language="en",
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["wrongcot", "trl", "sft", "reasoning", "chain-of-thought", *tasks],
        **fields,
    )
    return str(data.to_yaml())


def _line(text: str) -> str:
    """In one line, as a name is: not every reader of front matter is as careful with `---` as YAML is."""
    return " ".join(visible(text).split())


def hub_data_set(record: Mapping[str, Any]) -> str:
    """The data set's name on the Hub; empty where it came from a folder."""
    found = _ON_HUB.fullmatch(str(record.get("dataset", "")))
    return found["id"] if found and record.get("dataset_commit") else ""


def _licence(base: Teacher | None) -> dict[str, str]:
    """That of the base weights, which a student is made of."""
    if base is None or not base.licence:
        return {}
    if base.licence != "other":
        return {"license": base.licence}
    name = re.sub(r"[^a-z0-9.]+", "-", base.licence_name.lower())
    return {"license": "other", "license_name": name, "license_link": base.licence_link}


def _results(score: Mapping[str, Any]) -> Iterator[EvalResult]:
    """Both accuracies in percent, each with its interval in its name's arguments."""
    from huggingface_hub import EvalResult

    from wrongcot_data.tasks import get_task

    task = get_task(score["task"])
    options = score.get("options", {})
    from_hub = bool(task.data_set and not options.get("source"))
    for kind, of in (("strict", "of all items"), ("answered", "of the items with an answer")):
        share = score[kind]
        if share["value"] is None:
            continue
        yield EvalResult(
            task_type="text-generation",
            dataset_type=task.data_set if from_hub else f"wrongcot-{task.name}",
            dataset_name=f"{task.title} ({score['n']} items)",
            dataset_split=score["split"],
            dataset_revision=options.get("revision") if from_hub else None,
            metric_type="accuracy",
            metric_name=f"{kind} accuracy, % {of}",
            metric_value=round(100 * share["value"], 2),
            metric_args={
                "interval_95": [round(100 * share["low"], 2), round(100 * share["high"], 2)],
                "n": share["n"],
                "prompt_template": _line(score["prompt_template"]),
                "grader_version": _line(score["grader_version"]),
            },
        )
