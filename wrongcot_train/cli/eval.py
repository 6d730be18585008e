"""`wrongcot-train eval`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wrongcot_data.cli.console import emit, json_option, progress
from wrongcot_data.cli.options import at_servers, base_url_option, pairs, source_options, unsafe_option

if TYPE_CHECKING:
    from wrongcot_train.evaluate import Exam

NAMED = 5
"""Items found among what was trained on that are named in the text."""


@click.command("eval")
@click.option("--model", required=True, help="A student's folder, registry name, Hub id or GGUF file.")
@click.option("--task", required=True, help="Whose problems and grader, such as countdown.")
@click.option("--split", default="test", show_default=True, help="Which problems.")
@click.option("--limit", type=int, default=200, show_default=True, help="Items: the first ones of the split.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Which problems, where they are generated; and the draws."
)
@source_options
@click.option(
    "--samples", type=int, default=1, show_default=True, metavar="K", help="Replies an item: pass@k and maj@k up to K."
)
@click.option("--temperature", type=float, help="0 is greedy.  [default: 0; 0.8 with several samples]")
@click.option("--top-p", type=float, help="Share of the likeliest tokens to draw from.  [default: 0.95 where drawn]")
@click.option("--max-tokens", type=int, help="Of a reply.  [default: what suits the task]")
@click.option(
    "--prompt",
    help="chat-zero, chat-few, plain-zero, plain-few or plain-v1.  [default: the student's own form, chat-zero, or"
    " plain-v1 without a chat template]",
)
@click.option("--shots", type=int, metavar="N", help="Worked examples of a few-shot prompt.  [default: the model's]")
@click.option("--batch-size", type=int, help="Prompts at once.  [default: the engine's]")
@click.option(
    "--engine",
    help="What runs the student: transformers, vllm, server or ray.  [default: transformers; server with --base-url]",
)
@click.option("--engine-option", "engine_options", multiple=True, metavar="NAME=VALUE", help="Repeat for several.")
@base_url_option
@click.option(
    "--trained-on",
    multiple=True,
    metavar="DATASET[:VARIANT]",
    help="Look for the items in this data set, beside the one that the student's record names; repeat for several.",
)
@click.option(
    "--leave-out", "leave_out_file", type=click.Path(path_type=Path), help="File with ids of problems to pass over."
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for items and score.  [default: evals/MODEL-TASK]")
@click.option("--dry-run", is_flag=True, help="Show the first prompt and counts; ask nothing.")
@unsafe_option
@json_option
def evaluate(
    source: str | None,
    problems: tuple[str, ...],
    batch_size: int | None,
    engine: str | None,
    engine_options: tuple[str, ...],
    base_urls: tuple[str, ...],
    leave_out_file: Path | None,
    out: Path | None,
    dry_run: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Score a student on a task: one row an item, accuracy over all items and over those with an answer.

    Replies are greedy, one an item, unless --samples asks for more. Give the same command again to go on after an
    interruption, or with more items or samples.
    """
    from wrongcot_train import evaluate as scoring

    options = {**({} if batch_size is None else {"batch_size": batch_size}), **pairs("--engine-option", engine_options)}
    of_task = {**({} if source is None else {"source": source}), **pairs("--problems", problems)}
    asked |= {} if engine is None else {"engine": engine}
    if base_urls:
        options |= at_servers(asked, base_urls)
    asked["leave_out"] = frozenset(read_ids(leave_out_file) if leave_out_file else ())
    spec = scoring.EvalSpec(**asked, problems=of_task, engine_options=options)
    with redirect_stdout(sys.stderr):  # what a library prints is no result
        exam = scoring.prepare(spec)
        folder = out or scoring.default_folder(spec)
        if dry_run:
            result = _plan(exam, folder)
        else:
            with progress(len(exam.problems), "items") as bar:
                result = {"out": str(folder), **scoring.evaluate(exam, folder, bar.update)}
    emit(result, as_json, lambda: plan_text(result) if dry_run else score_text(result))


def read_ids(file: Path) -> list[str]:
    """The ids in a file, one a line.

    Raises:
        BadInput: it cannot be read.
    """
    from wrongcot_data.errors import BadInput

    try:
        return [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read {file}: {error}", try_=["--leave-out FILE    (one problem id a line)"]) from error


def _plan(exam: Exam, folder: Path) -> dict[str, Any]:
    from wrongcot_train import evaluate as scoring
    from wrongcot_train.replies import read_replies

    done = read_replies(folder / scoring.REPLIES, exam.identity)
    samples = exam.spec.samples
    missing = {name: sum((name, sample) not in done for sample in range(samples)) for name in exam.problems}
    return {
        "dry_run": True,
        "out": str(folder),
        "n": len(exam.problems),
        "samples": samples,
        "done": sum(not count for count in missing.values()),
        "replies_to_ask": sum(missing.values()),
        "top_p": exam.sampling.top_p,
        "prompt": scoring.first_prompt(exam),
        "trained_on": {
            "datasets": [one.name for one in exam.trained.sets],
            "not_checked": list(exam.trained.not_checked),
        },
        **exam.identity,
    }


def plan_text(plan: Mapping[str, Any]) -> str:
    """A dry run for people."""
    prompt = plan["prompt"]
    lines = [f"the first prompt, {prompt['template']}{_count(prompt)}:", prompt["text"], ""]
    if prompt["ids"] is not None:
        pieces = " ".join(repr(piece)[1:-1] for piece in prompt["pieces"])
        lines += [f"begins    {' '.join(map(str, prompt['ids']))} ...", f"          {pieces} ..."]
    else:
        lines.append("begins    with what the engine makes of it: it renders and tokenises the prompt itself")
    stops = ", ".join(map(repr, prompt["stop"])) or "the student's own stop tokens only"
    each = f", {plan['samples']} replies each" if plan["samples"] > 1 else ""
    of = f"{plan['n']} items of {plan['task']}/{plan['split']}{each}"
    return "\n".join(
        (
            *lines,
            f"stops at  {stops}",
            f"draws     {_draws(plan)}, at most {plan['max_tokens']} tokens",
            *_trained_plan(plan["trained_on"]),
            f"{of}, {plan['done']} of them done in {plan['out']}",
            f"at most {plan['replies_to_ask'] * plan['max_tokens']} tokens to write; nothing was asked",
        )
    )


def _count(prompt: Mapping[str, Any]) -> str:
    if prompt["tokens"] is None:
        return ""
    return f", {prompt['tokens']} tokens, {'one BOS' if prompt['bos'] else 'no BOS'}"


def _draws(told: Mapping[str, Any]) -> str:
    return f"temperature {told['temperature']:g}, top-p {told['top_p']:g}" if told["temperature"] else "greedy"


def _trained_plan(trained: Mapping[str, Any]) -> list[str]:
    lines = [f"trained on {name}: items that are in it will be told" for name in trained["datasets"]]
    return [*lines, *(_not_checked(why) for why in trained["not_checked"])]


def _not_checked(why: str) -> str:
    return f"overlap   not checked: {why}  (--trained-on DATASET says it)"


def score_text(score: Mapping[str, Any]) -> str:
    """A score for people: both denominators, pass@k and maj@k, then what the replies were."""
    several = score["samples"] > 1
    what = "replies" if several else "items"
    each = f", {score['samples']} replies each ({_draws(score)})" if several else ""
    grades = ", ".join(f"{count} {grade}" for grade, count in score["grades"].items() if count)
    rates = ", ".join(f"{grade} {_percent(rate)}".replace("  ", " ") for grade, rate in score["rates"].items())
    lines = [
        f"{score['model']} on {score['task']}/{score['split']}: {score['n']} items{each}, {score['seconds']:.0f} s",
        f"strict    {_share(score['strict'])}  of all {what}",
        f"answered  {_share(score['answered'])}  of the {what} with an answer",
        *(_samples_text(score) if several else ()),
        f"grades    {grades}",
        f"rates     {rates}",
        *(f"errors    {count} x {reason}" for reason, count in score["errors"].items()),
        f"asked     {score['prompt_template']}",
        *_dtype_text(score),
        *overlap_text(score["overlap"], score["n"]),
        f"items     {score['out']}/items.parquet",
    ]
    return "\n".join(lines)


def _dtype_text(score: Mapping[str, Any]) -> list[str]:
    """A warning where a student was computed in less than its weights have: a small one may lose much by that."""
    if score["saved_dtype"] != "float32" or score["dtype"] in {"", "float32"}:
        return []
    return [f"dtype     {score['dtype']} for weights in float32; whether that matters: --engine-option dtype=float32"]


def _samples_text(score: Mapping[str, Any]) -> list[str]:
    """pass@k and maj@k side by side."""
    lines = []
    for k, passed in score["pass_at"].items():
        line = f"{f'pass@{k}':<8}  {_percent(passed):<22}"
        lines.append(line + (f"  maj@{k}  {_percent(score['maj_at'][k])}" if score["maj_at"] else ""))
    return [*lines, f"maj@k     none: {score['no_vote']}"] if score["no_vote"] else lines


def overlap_text(overlap: Mapping[str, Any], n: int) -> list[str]:
    """What was found of the items among what the student was trained on, and the score without it."""
    from wrongcot_train.evaluate.overlap import WORDS

    lines = [
        f"overlap   {one['name']} holds something else now than when the student was trained"
        for one in overlap["datasets"]
        if one["changed"]
    ]
    if overlap["checked"]:
        found = len(overlap["items"])
        lines.append(
            f"overlap   {found} of {n} items were trained on: {overlap['by_id']} by their id, {overlap['by_text']} by"
            f" most of their text; {overlap['by_ngram']} share {WORDS} words in a row"
        )
        if found:
            more = ", ..." if found > NAMED else ""
            lines.append(f"          {', '.join(overlap['items'][:NAMED])}{more}")
            without = overlap["without"]
            rest = f"strict {_share(without['strict'])}" if without else "nothing is left"
            lines.append(f"          without them: {rest}")
    return [*lines, *(_not_checked(why) for why in overlap["not_checked"])]


def _percent(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return "none"
    return f"{found['value']:.1%}  [{found['low']:.1%}, {found['high']:.1%}]"


def _share(accuracy: Mapping[str, Any]) -> str:
    if accuracy["value"] is None:
        return "none"
    interval = f"[{accuracy['low']:.1%}, {accuracy['high']:.1%}]"
    return f"{accuracy['value']:.1%}  {interval}  {accuracy['correct']}/{accuracy['n']}"
