"""`wrongcot-train eval`."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wrongcot_data.cli.console import emit, json_option, progress
from wrongcot_data.cli.options import pairs, source_options, unsafe_option

if TYPE_CHECKING:
    from wrongcot_train.evaluate import Exam


@click.command("eval")
@click.option("--model", required=True, help="A student's folder, registry name, Hub id or GGUF file.")
@click.option("--task", required=True, help="Whose problems and grader, such as countdown.")
@click.option("--split", default="test", show_default=True, help="Which problems.")
@click.option("--limit", type=int, default=200, show_default=True, help="Items: the first ones of the split.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which problems, where they are generated.")
@source_options
@click.option("--max-tokens", type=int, help="Of a reply.  [default: what suits the task]")
@click.option("--batch-size", type=int, help="Prompts at once.  [default: the engine's]")
@click.option("--engine", default="transformers", show_default=True, help="What runs the student.")
@click.option("--engine-option", "engine_options", multiple=True, metavar="NAME=VALUE", help="Repeat for several.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for items and score.  [default: evals/MODEL-TASK]")
@click.option("--dry-run", is_flag=True, help="Show the first prompt and counts; ask nothing.")
@unsafe_option
@json_option
def evaluate(
    source: str | None,
    problems: tuple[str, ...],
    batch_size: int | None,
    engine_options: tuple[str, ...],
    out: Path | None,
    dry_run: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Score a student on a task: greedy replies, one row an item, accuracy with its 95 % interval.

    Give the same command again to go on after an interruption.
    """
    from wrongcot_train import evaluate as scoring

    options = {**({} if batch_size is None else {"batch_size": batch_size}), **pairs("--engine-option", engine_options)}
    of_task = {**({} if source is None else {"source": source}), **pairs("--problems", problems)}
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


def _plan(exam: Exam, folder: Path) -> dict[str, Any]:
    from wrongcot_train import evaluate as scoring
    from wrongcot_train.replies import read_replies

    done = read_replies(folder / scoring.REPLIES, exam.identity)
    return {
        "dry_run": True,
        "out": str(folder),
        "n": len(exam.problems),
        "done": sum(name in done for name in exam.problems),
        "prompt": scoring.first_prompt(exam),
        **exam.identity,
    }


def plan_text(plan: dict[str, Any]) -> str:
    """A dry run for people."""
    tokens = plan["prompt"]["tokens"]
    return "\n".join(
        (
            f"the first prompt{f', {tokens} tokens' if tokens else ''}:",
            plan["prompt"]["text"],
            "",
            f"{plan['n']} items of {plan['task']}/{plan['split']}, {plan['done']} of them done in {plan['out']}",
            f"at most {(plan['n'] - plan['done']) * plan['max_tokens']} tokens to write; nothing was asked",
        )
    )


def score_text(score: dict[str, Any]) -> str:
    """A score for people: both denominators, then what the replies were."""
    grades = ", ".join(f"{count} {grade}" for grade, count in score["grades"].items() if count)
    return "\n".join(
        (
            f"{score['model']} on {score['task']}/{score['split']}: {score['n']} items, {score['seconds']:.0f} s",
            f"strict    {_share(score['strict'])}  of all items",
            f"answered  {_share(score['answered'])}  of the items with an answer",
            f"grades    {grades}",
            f"items     {score['out']}/items.parquet",
        )
    )


def _share(accuracy: dict[str, Any]) -> str:
    if accuracy["value"] is None:
        return "none"
    interval = f"[{accuracy['low']:.1%}, {accuracy['high']:.1%}]"
    return f"{accuracy['value']:.1%}  {interval}  {accuracy['correct']}/{accuracy['n']}"
