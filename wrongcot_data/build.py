"""The chain: problems, teacher, pool, variants, data set. Each stage hands on to the next and calls none before it."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from wrongcot_data import __version__, receipt
from wrongcot_data.filling import Asked, Report, ask, current_samples, fill
from wrongcot_data.folder import check_owner, claimed, pool_folder, write_json
from wrongcot_data.plan import Plan, problems_of
from wrongcot_data.pool.journal import Journal
from wrongcot_data.pool.sampler import called_for, seen, unbroken
from wrongcot_data.publish.card import licence, render_card
from wrongcot_data.publish.columns import SAMPLES, sample_row, schema, trace_row
from wrongcot_data.publish.dataset import (
    CARD,
    MANIFEST,
    ConfigWriter,
    content_by_config,
    list_files,
    put_in_place,
    rows_by_config,
)
from wrongcot_data.receipt import Receipt, why_short
from wrongcot_data.records import SCHEMA_VERSION, Problem
from wrongcot_data.spec import spec_hash
from wrongcot_data.teachers.availability import require
from wrongcot_data.teachers.prompting import template_name
from wrongcot_data.variants import REGISTRY, Variant, reference
from wrongcot_data.variants.pooled import Pooled, Source


@dataclass(frozen=True, slots=True)
class Built:
    """What a build leaves.

    Attributes:
        folder: of the data set.
        receipt: as `receipt.to_json` gives it.
        faults: what of it does not balance; empty unless there is a bug.
    """

    folder: Path
    receipt: dict[str, Any]
    faults: list[str]


def build(plan: Plan, out: Path, *, report: Report, stop: Callable[[], bool]) -> Built:
    """Build a data set in a folder, going on from whatever samples are there.

    Args:
        report: told how far it is.
        stop: true once no more is to be asked; what is in flight is finished, and what there is becomes the data set.

    Raises:
        WrongcotError: a fault of the folder or the machine; everything stored so far is kept.
    """
    needs_teacher = bool(plan.quotas.wanted)
    revision = ""
    plan.task.check_grader()
    check_owner(out, plan.spec)
    # before the folder becomes this build's: what cannot be had must not keep another build out of it
    if needs_teacher:
        require(plan.teacher, plan.engine_name)
        revision = plan.engine.revision(plan.teacher, plan.engine_options)
    problems = problems_of(plan)
    with claimed(out, plan.spec), Journal(pool_folder(out) / "journal.sqlite") as journal:
        asked: list[Asked] = []
        if needs_teacher:
            asked = ask(plan, problems, revision)
            fill(plan, asked, journal, report=report, stop=stop)
        source = Source(
            teacher=plan.teacher.name if needs_teacher else "",
            teacher_revision=revision,
            sampling=json.dumps(asdict(plan.sampling), sort_keys=True),
            prompt_template=template_name(plan.task, plan.style, plan.teacher.shots),
        )
        return write_dataset(plan, out, _pooled(plan, problems, asked, journal, source), source)


def _pooled(
    plan: Plan, problems: Sequence[Problem], asked: Sequence[Asked], journal: Journal, source: Source
) -> Iterator[Pooled]:
    """Each problem with exactly the samples that this spec calls for, one problem at a time."""
    for number, problem in enumerate(problems):
        samples = []
        if asked:
            stored = unbroken(current_samples(plan.task, problem, asked[number].request_id, journal))
            samples = stored[: called_for([seen(sample) for sample in stored], plan.quotas)]
        yield Pooled(plan.task, problem, plan.task.reference(problem), samples, source)


def write_dataset(plan: Plan, out: Path, problems: Iterator[Pooled], source: Source) -> Built:
    """Cut the variants, write them with card and manifest beside the old data set, then put them in its place."""
    new = pool_folder(out) / "new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    account, examples, engines = _write_rows(plan, new, problems)
    files = list_files(new)
    written, content = rows_by_config(files), content_by_config(files)
    facts: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "spec": plan.spec.model_dump(mode="json"),
        "spec_hash": spec_hash(plan.spec),
        "task": {
            "name": plan.task.name,
            "title": plan.task.title,
            "licence": plan.task.licence,
            "origin": plan.task.origin(plan.task_options),
        },
        "teacher": _teacher_facts(plan, source),
        "engines": sorted(engines),
        "sampling": asdict(plan.sampling),
        "prompt_template": source.prompt_template,
        "grader_version": plan.task.grader_version,
        "licence": licence(plan.task, plan.teacher if source.teacher else None),
        "rows": {config: written[config] for config in _configs(plan)},
        "content": {config: content[config] for config in _configs(plan)},
        "receipt": receipt.to_json(account, written),
        "versions": {
            "wrongcot": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("pyarrow", "pydantic", "jinja2")},
        },
    }
    (new / CARD).write_text(
        render_card({**facts, "examples": examples, "variants": _summaries(plan)}, plan.task.templates),
        encoding="utf-8",
    )
    write_json(new / MANIFEST, {**facts, "files": list_files(new)})
    put_in_place(new, out, [*REGISTRY, SAMPLES])
    return Built(out, facts["receipt"], receipt.faults(account, written))


def _write_rows(
    plan: Plan, new: Path, problems: Iterator[Pooled]
) -> tuple[Receipt, dict[str, dict[str, Any]], set[str]]:
    """Write every row. Returns the account, one example row a variant, and the engines that made the samples."""
    account = Receipt()
    examples: dict[str, dict[str, Any]] = {}
    engines: set[str] = set()
    with ExitStack() as stack:
        writers = {
            config: stack.enter_context(ConfigWriter(new, config, plan.spec.split, schema(plan.task, config)))
            for config in _configs(plan)
        }
        for pooled in problems:
            if SAMPLES in writers:
                writers[SAMPLES].write(sample_row(pooled, sample) for sample in pooled.samples)
                account.count_samples(pooled.samples)
                engines.update(sample.engine for sample in pooled.samples)
            for variant in plan.variants:
                traces = variant.traces(pooled, variant.asked(plan.spec.per_problem))
                rows = [trace_row(plan.task, trace) for trace in traces]
                writers[variant.name].write(rows)
                _account(account, plan, pooled, variant, len(rows))
                if rows:
                    examples.setdefault(variant.name, rows[0])
    return account, examples, engines


def _account(account: Receipt, plan: Plan, pooled: Pooled, variant: Variant, kept: int) -> None:
    asked = variant.asked(plan.spec.per_problem)
    account.asked[variant.name] += asked
    account.kept[variant.name] += kept
    grade = variant.wanted
    why = why_short(pooled.samples, grade, plan.spec.max_attempts) if grade else reference.why_none(pooled)
    account.leave_out(variant.name, why, asked - kept)


def _configs(plan: Plan) -> list[str]:
    """The configs of a data set, the default first: the wrong traces are what the project is for."""
    names = [variant.name for variant in plan.variants]
    first = [name for name in ("wrong", "right", "reference") if name in names]
    return [*first, *([SAMPLES] if plan.quotas.wanted else [])]


def _summaries(plan: Plan) -> dict[str, str]:
    summaries: dict[str, str] = {variant.name: variant.summary for variant in plan.variants}
    return summaries | {SAMPLES: "every reply that was asked for, used or not, with its grade and the reason"}


def _teacher_facts(plan: Plan, source: Source) -> dict[str, Any]:
    return {
        "name": source.teacher,
        "hub_id": plan.teacher.hub_id if source.teacher else "",
        "revision": source.teacher_revision,
        "licence": plan.teacher.licence if source.teacher else "",
    }
