"""The chain: problems, teacher, pool, variants, data set. Each stage hands on to the next and calls none before it."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from wrongcot_data import __version__, receipt
from wrongcot_data.filling import Asked, Filled, Filling, Prompts, Report, ask, fill, taken
from wrongcot_data.folder import check_owner, claimed, pool_folder, write_json
from wrongcot_data.measure.report import PLOTS, write_report
from wrongcot_data.measure.tokens import token_counter
from wrongcot_data.plan import Plan, problems_of
from wrongcot_data.pool.budget import Budget, Stopped
from wrongcot_data.pool.journal import Journal, Origin
from wrongcot_data.publish.card import card_of
from wrongcot_data.publish.columns import (
    PARAPHRASE_SAMPLES,
    SAMPLES,
    rewriting_row,
    sample_row,
    schema,
    trace_row,
)
from wrongcot_data.publish.composition import compose
from wrongcot_data.publish.dataset import (
    CARD,
    MANIFEST,
    ConfigWriter,
    content_by_config,
    list_files,
    put_in_place,
    rows_by_config,
)
from wrongcot_data.publish.licence import licence
from wrongcot_data.publish.shares import shares
from wrongcot_data.publish.views import view_faults, write_views
from wrongcot_data.receipt import Receipt, why_short
from wrongcot_data.records import SCHEMA_VERSION, Problem
from wrongcot_data.spec import spec_hash
from wrongcot_data.teachers.availability import require
from wrongcot_data.teachers.prompting import template_name
from wrongcot_data.teachers.weights import cache_folder
from wrongcot_data.variants import CONFIGS, Variant, reference
from wrongcot_data.variants.matching import MIX, mixes_of
from wrongcot_data.variants.paraphrase import stage as paraphrasing
from wrongcot_data.variants.pooled import Pooled, Source
from wrongcot_data.views import VIEWS


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


def build(
    plan: Plan, out: Path, journal_path: Path | None = None, *, report: Report, interrupted: Callable[[], bool]
) -> Built:
    """Build a data set in a folder, going on from whatever samples its journal has.

    Args:
        journal_path: the journal, which builds may share; the user's own unless given.
        report: told how far it is.
        interrupted: true once no more is to be asked; what is in flight is finished, and what there is becomes the
            data set. The same happens when a budget of the spec is used up.

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
    stage = _rewriting_stage(plan)
    problems = problems_of(plan)
    budget = Budget(
        interrupted,
        minutes=plan.spec.max_minutes,
        tokens=plan.spec.max_tokens_total,
        reply_tokens=plan.sampling.max_tokens,
    )
    source = Source(
        teacher=plan.teacher.name if needs_teacher else "",
        teacher_revision=revision,
        sampling=json.dumps(asdict(plan.sampling), sort_keys=True),
        prompt_template=template_name(plan.task, plan.style, plan.teacher.shots),
    )
    with claimed(out, plan.spec):
        if not needs_teacher and not stage:
            return write_dataset(plan, out, _bare(plan, problems, source), source, None)
        with Journal(journal_path or shared_journal()) as journal:
            pool, filled = partial(_bare, plan, problems, source), Filled(None, 0)
            if needs_teacher:
                prompts = Prompts(plan)
                asked = ask(plan, problems, revision, prompts)
                filled = fill(Filling(plan, asked, prompts, journal, _origin(plan, source), report, budget))
                pool = partial(_pooled, plan, asked, journal, source)
            if not stage:
                return write_dataset(plan, out, pool(), source, filled.stopped)
            done = paraphrasing.rewrite(stage, pool(), journal, budget.after(filled.n_charged), report)
            rewritten = paraphrasing.with_rewritings(pool(), done)
            return write_dataset(plan, out, rewritten, source, filled.stopped or done.stopped, stage)


def _rewriting_stage(plan: Plan) -> paraphrasing.Stage | None:
    """The stage that has traces rewritten; None where no paraphrase is wanted.

    Raises:
        WrongcotError: the paraphraser cannot be had here.
    """
    rewriters = plan.rewriting
    if rewriters is None:
        return None
    require(rewriters.teacher, rewriters.engine_name)
    revision = rewriters.engine.revision(rewriters.teacher, rewriters.engine_options)
    return paraphrasing.prepare(plan, rewriters, revision)


def shared_journal() -> Path:
    """The journal that all builds of a user share unless told otherwise, in the user's cache folder."""
    return cache_folder() / "journal.sqlite"


def _origin(plan: Plan, source: Source) -> Origin:
    return Origin(
        task=plan.task.name,
        teacher=source.teacher,
        revision=source.teacher_revision,
        prompt_template=source.prompt_template,
        sampling=source.sampling,
        seed=plan.spec.seed,
    )


def _bare(plan: Plan, problems: Sequence[Problem], source: Source) -> Iterator[Pooled]:
    """Each problem without samples, where no teacher is needed."""
    return (Pooled(plan.task, problem, plan.task.reference(problem), [], source) for problem in problems)


def _pooled(plan: Plan, asked: Sequence[Asked], journal: Journal, source: Source) -> Iterator[Pooled]:
    """Each problem with exactly the samples that this spec calls for, one problem at a time."""
    for one, has in zip(asked, taken(plan, asked, journal), strict=True):
        reference = plan.task.reference(one.problem)
        yield Pooled(plan.task, one.problem, reference, has.samples, source, has.end, has.spare)


def write_dataset(
    plan: Plan,
    out: Path,
    problems: Iterator[Pooled],
    source: Source,
    stopped: Stopped | None,
    stage: paraphrasing.Stage | None = None,
) -> Built:
    """Cut the variants, write them with card and manifest beside the old data set, then put them in its place."""
    new = pool_folder(out) / "new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    account, engines, rewriters = _write_rows(plan, new, problems, stopped)
    variants = _variants(plan)
    count = token_counter(plan.spec.tokenizer) if plan.spec.tokenizer else None
    composition = compose(new, variants, plan.spec, account, count)
    views = write_views(new, plan.spec.split, plan.views, variants)
    configs = [*_cut_from_pool(plan), *mixes_of(plan.spec), *(view.name for view in plan.views)]
    write_report(new, configs)
    files = list_files(new)
    written, content = rows_by_config(files), content_by_config(files)
    faults = [*receipt.faults(account, written), *view_faults(views, written)]
    facts: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "spec": plan.spec.model_dump(mode="json"),
        "spec_hash": spec_hash(plan.spec),
        "task": {
            "name": plan.task.name,
            "title": plan.task.title,
            "author": plan.task.author,
            "data_set": plan.task.data_set,
            "licence": plan.task.licence,
            "origin": plan.task.origin(plan.task_options),
        },
        "teacher": _teacher_facts(plan, source),
        "engines": sorted(engines),
        "sampling": asdict(plan.sampling),
        "prompt_template": source.prompt_template,
        "grader_version": plan.task.grader_version,
        "licence": licence(plan.task, plan.teacher if source.teacher else None, stage.plan.teacher if stage else None),
        **({"paraphrase": paraphrasing.facts(plan, stage, rewriters)} if stage else {}),
        **({"corrupt": shares(new, variants)} if "corrupt" in plan.spec.variants else {}),
        "rows": {config: written[config] for config in configs},
        "content": {config: content[config] for config in configs},
        "composition": composition,
        "receipt": {
            **receipt.to_json(account, written),
            "balanced": not faults,
            "views": {name: view.to_json() for name, view in views.items()},
        },
        "versions": {
            "wrongcot": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("pyarrow", "pydantic", "jinja2", "matplotlib")},
        },
    }
    facts["summaries"] = _summaries(plan, facts.get("corrupt", {}))
    (new / CARD).write_text(card_of(new, facts, plan.task.templates), encoding="utf-8")
    write_json(new / MANIFEST, {**facts, "files": list_files(new)})
    mixes = [old.name for old in out.glob(f"{MIX}*")]
    put_in_place(new, out, [*CONFIGS, SAMPLES, PARAPHRASE_SAMPLES, *VIEWS, PLOTS, *mixes])
    return Built(out, facts["receipt"], faults)


def _write_rows(
    plan: Plan, new: Path, problems: Iterator[Pooled], stopped: Stopped | None
) -> tuple[Receipt, set[str], set[str]]:
    """Write every row. Returns the account, and the engines of samples and rewritings."""
    account = Receipt()
    engines: set[str] = set()
    rewriters: set[str] = set()
    with ExitStack() as stack:
        writers = {
            config: stack.enter_context(ConfigWriter(new, config, plan.spec.split, schema(plan.task, config)))
            for config in _cut_from_pool(plan)
        }
        for pooled in problems:
            if SAMPLES in writers:
                writers[SAMPLES].write(sample_row(pooled, sample) for sample in pooled.samples)
                account.count_samples(pooled.samples, pooled.spare)
                engines.update(sample.engine for sample in pooled.samples)
            for rewritten in pooled.rewritten:
                replies = (rewriting_row(pooled, rewritten, sample) for sample in rewritten.samples)
                writers[PARAPHRASE_SAMPLES].write(replies)
                account.count_rewritings(rewritten.samples, rewritten.spare)
                rewriters.update(sample.engine for sample in rewritten.samples)
            for variant in plan.variants:
                traces = variant.traces(pooled, variant.asked(plan.spec.per_problem))
                rows = [trace_row(plan.task, trace) for trace in traces]
                writers[variant.name].write(rows)
                _account(account, plan, pooled, variant, len(rows), stopped)
    return account, engines, rewriters


def _account(
    account: Receipt, plan: Plan, pooled: Pooled, variant: Variant, kept: int, stopped: Stopped | None
) -> None:
    asked = variant.asked(plan.spec.per_problem)
    account.asked[variant.name] += asked
    account.kept[variant.name] += kept
    lost = variant.lost(pooled, asked, stopped)
    for reason, count in lost.items():
        account.leave_out(variant.name, reason, count)
    kept += lost.total()
    grade = variant.wanted
    why = why_short(pooled.samples, grade, kept, pooled.end, stopped) if grade else reference.why_none(pooled)
    account.leave_out(variant.name, why, asked - kept)


def _variants(plan: Plan) -> list[str]:
    """The variants of a data set, the default first: the wrong traces are what the project is for."""
    names = [variant.name for variant in plan.variants]
    first = [name for name in ("wrong", "right", "paraphrase", "reference") if name in names]
    return [*first, *(name for name in names if name not in first)]


def _cut_from_pool(plan: Plan) -> list[str]:
    """The variants and the pools they were cut from."""
    pools = [(SAMPLES, plan.quotas.wanted), (PARAPHRASE_SAMPLES, plan.rewriting)]
    return [*_variants(plan), *(name for name, wanted in pools if wanted)]


def _summaries(plan: Plan, achieved: dict[str, dict[str, float]]) -> dict[str, str]:
    summaries: dict[str, str] = {variant.name: variant.summary for variant in plan.variants}
    for name, count in achieved.items():
        summaries[name] += f": {count['wrong']} of {count['of']} steps"
    for name, parts in mixes_of(plan.spec).items():
        told = ", ".join(f"{share / sum(parts.values()):.0%} {part}" for part, share in sorted(parts.items()))
        summaries[name] = f"each problem by one of several variants: {told}"
    summaries |= {view.name: view.summary for view in plan.views}
    return summaries | {
        SAMPLES: "every reply that was asked for, used or not, with its grade and the reason",
        PARAPHRASE_SAMPLES: "every rewriting of a trace, accepted (graded correct) or refused, with the reason",
    }


def _teacher_facts(plan: Plan, source: Source) -> dict[str, Any]:
    return {
        "name": source.teacher,
        "hub_id": plan.teacher.hub_id if source.teacher else "",
        "revision": source.teacher_revision,
        "licence": plan.teacher.licence if source.teacher else "",
    }
