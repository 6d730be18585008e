"""`wrongcot-data build`: from a spec to a data set."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wrongcot_data.cli.console import INTERRUPTED, emit, json_option, log, progress
from wrongcot_data.cli.corrupt_options import corrupt_fields, corrupt_options
from wrongcot_data.cli.options import (
    at_servers,
    base_url_option,
    journal_option,
    pairs,
    source_options,
    unsafe_option,
)
from wrongcot_data.errors import BadInput

if TYPE_CHECKING:
    from wrongcot_data.build import Built
    from wrongcot_data.plan import Plan
    from wrongcot_data.records import Problem

COUNTED = 10_000
"""Problems that `--dry-run` looks for; where there are as many, it takes it that there are as many as are asked for."""

ESTIMATED = 200
"""Traces by whose steps `--dry-run` tells how many a teacher will be asked about."""


@click.command(short_help="Build a data set, or go on with one.")
@click.argument("task", required=False)
@click.option("--teacher", help="Registry name, Hub id or path; see `wrongcot-data teachers`.  [default: gemma-9b]")
@click.option(
    "--variant",
    "variants",
    multiple=True,
    help="reference, right, wrong, paraphrase or corrupt; repeat for several. The first three by default.",
)
@click.option("--paraphraser", help="Who rewrites traces for the variant paraphrase: a teacher, or self:STUDENT.")
@click.option("--of", help="What is paraphrased: reference (default), right or wrong.")
@click.option(
    "--view",
    "views",
    multiple=True,
    help="preference or stepwise, more configs from the same rows; repeat for several, or none. Both by default where"
    " there are right and wrong.",
)
@click.option("--limit", type=int, help="Problems.  [default: 1000]")
@click.option("--per-problem", type=int, help="Distinct traces a problem, of right and of wrong each.  [default: 1]")
@click.option("--match", help="What all variants have alike: problems, size, tokens or none.  [default: none]")
@click.option("--tokenizer", help="Whose tokens --match tokens counts: the student's.")
@click.option("--mix", "mixes", multiple=True, metavar="wrong=0.75,right=0.25", help="A set mixed of variants; repeat.")
@click.option("--max-attempts", type=int, help="Replies asked for a problem before it is given up.  [default: 8]")
@click.option(
    "--give-up-below", type=float, help="Chance of a next reply under which a problem is hopeless.  [default: 0.05]"
)
@click.option(
    "--ask-ahead",
    type=float,
    help="Ask a reply that is at least so likely to be needed; 2: none early.  [default: 0.8]",
)
@click.option("--max-tokens-total", type=int, help="Tokens the teacher may write for this build in all; no limit else.")
@click.option("--max-minutes", type=float, help="Minutes to go on asking, finishing what is in flight; no limit else.")
@corrupt_options
@source_options
@click.option("--seed", type=int, help="Decides problems and replies.  [default: 0]")
@click.option("--split", help="Split that the problems come from.  [default: train]")
@click.option("--prompt", help="chat-zero, chat-few, plain-zero or plain-few; the teacher's own by default.")
@click.option("--temperature", type=float, help="0 is greedy.  [default: 0.8]")
@click.option("--max-tokens", type=int, help="Tokens a reply may have; what suits the task by default.")
@click.option(
    "--engine",
    help="What runs the teacher: transformers, vllm, server, ray or scripted.  [default: the teacher's, else"
    " transformers]",
)
@click.option("--engine-option", "engine_options", multiple=True, metavar="NAME=VALUE", help="Repeat for several.")
@base_url_option
@click.option("--config", type=click.Path(path_type=Path), help="YAML file, see docs/build.md; flags win over it.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the data set.  [default: builds/TASK-TEACHER]")
@journal_option
@click.option("--dry-run", is_flag=True, help="Show the first prompt, counts and an estimate; run and write nothing.")
@unsafe_option
@json_option
def build(
    task: str | None,
    variants: tuple[str, ...],
    mixes: tuple[str, ...],
    views: tuple[str, ...],
    source: str | None,
    problems: tuple[str, ...],
    engine_options: tuple[str, ...],
    base_urls: tuple[str, ...],
    config: Path | None,
    out: Path | None,
    journal: Path | None,
    dry_run: bool,
    as_json: bool,
    temperature: float | None,
    max_tokens: int | None,
    paraphraser: str | None,
    of: str | None,
    **flags: Any,
) -> None:
    """Build a data set for TASK: ask the teacher, grade every reply, cut the variants, write card and receipt.

    The same command again goes on where it stopped. Replies are kept in a journal that all your builds share, so
    another variant, limit or folder pays only for what is new. Ctrl-C, or a budget that is used up, finishes what is in
    flight and writes what there is.
    """
    from wrongcot_data.plan import make_plan
    from wrongcot_data.spec import make_spec, read_config

    fields = read_config(config) if config else {}
    corrupt = corrupt_fields(flags)
    fields |= {name: value for name, value in flags.items() if value is not None}
    if task:
        fields["task"] = task
    if variants:
        fields["variants"] = list(variants)
    if mixes:
        fields["mixes"] = [pairs("--mix", mix.split(",")) for mix in mixes]
    if views:
        fields["views"] = [] if views == ("none",) else list(views)
    _merge(fields, "corrupt", dict(corrupt))
    _merge(fields, "sampling", {"temperature": temperature, "max_tokens": max_tokens})
    _merge(fields, "paraphrase", {"paraphraser": paraphraser, "of": of})
    _merge(fields, "engine_options", pairs("--engine-option", engine_options))
    if base_urls:
        _merge(fields, "engine_options", at_servers(fields, base_urls))
    _merge(fields, "problems", {"source": source, **pairs("--problems", problems)})
    plan = make_plan(make_spec(fields))
    folder = out or Path("builds") / f"{plan.task.name}-{plan.teacher.name.replace('/', '--')}"
    if dry_run:
        _dry_run(plan, folder, as_json)
    else:
        _run(plan, folder, journal, as_json)


def _run(plan: Plan, folder: Path, journal: Path | None, as_json: bool) -> None:
    from wrongcot_data.build import build as run_build

    for line in _what_changes(plan, folder, journal):
        log(line)
    teacher = f" with {plan.teacher.name}" if plan.quotas.wanted else ""
    log(f"building {plan.spec.limit} {plan.task.name} problems{teacher} in {folder}")
    with _first_interrupt_is_a_wish() as interrupted, progress(plan.spec.limit, "problems done") as bar:

        def report(finished: int, problems: int, samples: int, tokens: int) -> None:
            note = f"{samples} replies, {tokens} tokens written"
            bar.update(finished, note, total=problems, last=finished == problems)

        built = run_build(plan, folder, journal, report=report, interrupted=lambda: bool(interrupted))
    emit({"dataset": str(built.folder), "receipt": built.receipt}, as_json, lambda: _account(built, journal))
    for fault in built.faults:
        log(f"wrongcot-data: the receipt does not balance: {fault}")
    if built.faults:
        sys.exit(1)
    if interrupted:
        sys.exit(INTERRUPTED)


def _what_changes(plan: Plan, folder: Path, journal: Path | None) -> Iterator[str]:
    """What the user may not expect: a data set that goes, or a journal that knows nothing of what was paid before."""
    from wrongcot_data.build import pools_of
    from wrongcot_data.folder import check_owner
    from wrongcot_data.publish.columns import SAMPLES
    from wrongcot_data.publish.dataset import MANIFEST
    from wrongcot_data.publish.manifest import read_manifest
    from wrongcot_data.spec import spec_hash
    from wrongcot_data.variants.pooled import REPLIES

    check_owner(folder, plan.spec)
    pools = pools_of(plan)
    asked = [*(variant.name for variant in plan.variants), *pools]
    if pools and journal and not journal.exists():
        yield f"a new journal: {journal}"
    if not (folder / MANIFEST).is_file():
        return
    try:
        there = read_manifest(folder)
    except BadInput:
        yield f"{folder} holds a data set that cannot be read; it is replaced"
        return
    if there["spec_hash"] == spec_hash(plan.spec):
        return
    rows = {config: f"{config} ({count} rows)" for config, count in there["rows"].items() if count}
    story = f"{folder} holds a data set of another spec, {', '.join(rows.values()) or 'without rows'}; it is replaced"
    gone = [config for config in rows if config not in asked]
    if gone:
        flags = " ".join(f"--variant {name}" for name in [*gone, *asked] if name not in (SAMPLES, *REPLIES))
        names = " and ".join(rows[config] for config in gone)
        story += f"; no longer asked for, so gone then: {names}; to keep: {flags}"
    yield story


def _account(built: Built, journal: Path | None) -> str:
    receipt = built.receipt
    counts = {**receipt["by_variant"], **receipt["views"]}
    rows: list[tuple[str, int, str]] = []
    for name, row in counts.items():
        left = ", ".join(f"{count} {reason}" for reason, count in row["left_out"].items())
        rows.append((name, row["kept"], f"of {row['asked']}{'   left out: ' + left if left else ''}"))
    if receipt["samples"]:
        grades = ", ".join(f"{count} {grade}" for grade, count in receipt["samples"].items())
        rows.append(("replies", sum(receipt["samples"].values()), f"{grades}; {receipt['tokens']} tokens"))
    if receipt["spare"]["replies"]:
        spare = receipt["spare"]
        rows.append(("spare", spare["replies"], f"in the journal, not called for; {spare['tokens']} tokens"))
    for config, name in (("paraphrase_samples", "rewritten"), ("corrupt_samples", "mistakes")):
        if config in receipt:
            asked = receipt[config]
            refused = "".join(f", {count} {reason}" for reason, count in asked["refused"].items())
            rows.append((name, asked["replies"], f"{asked['accepted']} accepted{refused}; {asked['tokens']} tokens"))
    width = max(len(name) for name, _, _ in rows)
    lines = [f"data set  {built.folder}", f"card      {built.folder / 'README.md'}", ""]
    lines += [f"{name:<{width}} {count:>7} {told}" for name, count, told in rows]
    if "error" in receipt["samples"]:
        forget = "wrongcot-data journal forget-errors" + (f" --journal {shlex.quote(str(journal))}" if journal else "")
        lines += ["", f"errors are kept; to ask them again: {forget}, then this command"]
    lines += ["", f"next:  wrongcot-data show {built.folder}"]
    return "\n".join(lines)


def _dry_run(plan: Plan, folder: Path, as_json: bool) -> None:
    from wrongcot_data.folder import check_owner
    from wrongcot_data.plan import problems_of
    from wrongcot_data.spec import spec_hash
    from wrongcot_data.teachers.availability import find_gpus, why_not
    from wrongcot_data.teachers.prompting import render

    check_owner(folder, plan.spec)
    looked_for = min(plan.spec.limit, COUNTED)
    problems = problems_of(replace(plan, spec=plan.spec.model_copy(update={"limit": looked_for})))
    limit = plan.spec.limit if len(problems) == looked_for else len(problems)
    prompt = render(plan.task, problems[0], plan.style, plan.teacher.shots)
    least = sum(plan.quotas.wanted.values())
    result = {
        "dataset": str(folder),
        "spec": plan.spec.model_dump(mode="json"),
        "spec_hash": spec_hash(plan.spec),
        "problems": limit,
        "rows_asked": limit * sum(variant.asked(plan.spec.per_problem) for variant in plan.variants),
        "replies": {"least": least * limit, "most": plan.spec.max_attempts * limit if least else 0},
        "tokens_most": plan.spec.max_attempts * limit * plan.sampling.max_tokens if least else 0,
        "cannot_run_here": why_not(plan.teacher, find_gpus(), plan.engine_name) if least else "",
        "prompt": {
            "template": prompt.template,
            "messages": [{"role": turn.role, "content": turn.content} for turn in prompt.messages],
            "text": prompt.text,
            "stop": list(prompt.stop),
        },
    }
    if plan.rewriting:
        rewriters, rows = plan.rewriting, limit * plan.spec.per_problem
        result["rewritings"] = {
            "paraphraser": rewriters.teacher.name,
            "of": plan.spec.paraphrase.of,
            "least": rows,
            "most": plan.spec.max_attempts * (limit if plan.spec.paraphrase.of == "reference" else rows),
            "cannot_run_here": why_not(rewriters.teacher, find_gpus(), rewriters.engine_name),
        }
    if plan.spoiling:
        result["mistakes"] = _mistakes(plan, problems, limit)
    emit(result, as_json, lambda: _dry_text(result))


def _mistakes(plan: Plan, problems: Sequence[Problem], limit: int) -> dict[str, Any]:
    """What a teacher will be asked for `corrupt`, by a few of the traces; unknown of those yet to be written."""
    from wrongcot_data.teachers.availability import find_gpus, why_not
    from wrongcot_data.variants.corrupt.rows import bases
    from wrongcot_data.variants.corrupt.teacher.stage import estimate
    from wrongcot_data.variants.pooled import Pooled, Source

    teacher, of, few = plan.spoiling, plan.spec.corrupt.base, problems[:ESTIMATED]
    assert teacher is not None
    least = most = None
    if of == "reference":
        pool = (Pooled(plan.task, one, plan.task.reference(one), (), Source("", "", "", "")) for one in few)
        found = estimate(plan, [base for pooled in pool for base in bases(plan.spec.corrupt, pooled, 1)])
        least, most = (round(count * limit / len(few)) for count in found)
    return {
        "teacher": teacher.teacher.name,
        "of": of,
        "about_least": least,
        "about_most": most,
        "cannot_run_here": why_not(teacher.teacher, find_gpus(), teacher.engine_name),
    }


def _dry_text(result: dict[str, Any]) -> str:
    prompt = result["prompt"]
    turns = "\n".join(f"[{turn['role']}] {turn['content']}" for turn in prompt["messages"])
    replies = result["replies"]
    lines = [
        f"first prompt ({prompt['template']}):",
        "",
        turns or prompt["text"],
        "",
        f"data set   {result['dataset']} (nothing is written now)",
        f"spec       {result['spec_hash']}",
        f"problems   {result['problems']}, rows asked for {result['rows_asked']}",
        f"replies    {replies['least']} to {replies['most']}, at most {result['tokens_most']} tokens written,"
        " less what is in the journal already",
    ]
    if result["cannot_run_here"]:
        lines.append(f"but        teacher {result['spec']['teacher']} {result['cannot_run_here']}")
    if "rewritings" in result:
        asked = result["rewritings"]
        lines.append(
            f"rewritten  {asked['of']} traces by {asked['paraphraser']}:"
            f" {asked['least']} to {asked['most']} replies more"
        )
        if asked["cannot_run_here"]:
            lines.append(f"but        {asked['paraphraser']} {asked['cannot_run_here']}")
    if "mistakes" in result:
        asked = result["mistakes"]
        known = asked["about_least"] is not None
        count = f"about {asked['about_least']} to {asked['about_most']}" if known else "one or more a step:"
        lines.append(f"mistakes   in steps of {asked['of']} traces by {asked['teacher']}: {count} replies more")
        if asked["cannot_run_here"]:
            lines.append(f"but        {asked['teacher']} {asked['cannot_run_here']}")
    return "\n".join(lines)


def _merge(fields: dict[str, Any], name: str, values: dict[str, Any]) -> None:
    """Lay the flags of a nested group over what the config file says of it."""
    given = {key: value for key, value in values.items() if value is not None}
    if given and isinstance(fields.get(name) or {}, dict):
        fields[name] = {**(fields.get(name) or {}), **given}


@contextmanager
def _first_interrupt_is_a_wish() -> Iterator[list[int]]:
    """Collect the first Ctrl-C in a list, for the build to stop in its own time; the second ends it at once.

    SIGTERM, by which schedulers say that time is up, counts as one.
    """
    seen: list[int] = []

    def on_interrupt(number: int, _frame: object) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)
        log("stopping: finishing what is in flight, then writing what there is (Ctrl-C again ends at once)")

    before = {number: signal.signal(number, on_interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
