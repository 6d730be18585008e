"""`wrongcot-train card`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wrongcot_data.cli.console import emit, json_option


@click.command(short_help="Write a student's model card, and `.eval_results` for the Hub.")
@click.argument("student", type=click.Path(path_type=Path, file_okay=False))
@click.option("--eval", "evals", multiple=True, type=click.Path(path_type=Path), help="An eval of it; repeat for more.")
@click.option(
    "--benchmark",
    "benchmarks",
    multiple=True,
    metavar="TASK=ORG/NAME:TASK_ID",
    help="The Hub's leaderboard for a task whose items are from no data set there.",
)
@click.option("--replace", is_flag=True, help="Write over a README.md that is no card of ours.")
@json_option
def card(student: Path, evals: tuple[Path, ...], benchmarks: tuple[str, ...], replace: bool, as_json: bool) -> None:
    """Write STUDENT/README.md from the records of a student and of its evals, and STUDENT/.eval_results/.

    Nothing is sent anywhere.
    """
    from wrongcot_train.card.write import write_card

    named = {}
    for text in benchmarks:
        task, sign, name = text.partition("=")
        if not sign or not task:
            raise click.UsageError(f"--benchmark takes TASK=ORG/NAME:TASK_ID, not {text!r}")
        named[task] = name
    result = write_card(student, evals, benchmarks=named, replace=replace)
    emit(result, as_json, lambda: card_text(result))


def card_text(result: dict[str, Any]) -> str:
    """What was written, for people, and what the Hub will not list."""
    lines = [f"card      {result['card']}"]
    lines += [f"plot      {result['plot']}"] if result["plot"] else []
    lines += [f"results   {file}" for file in result["eval_results"]]
    lines += [
        f"unlisted  {name}: its items are from no data set on the Hub    (--benchmark TASK=ORG/NAME:TASK_ID names one)"
        for name in result["without_entry"]
    ]
    return "\n".join(lines)
