"""`wrongcot-train sft`."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wrongcot_data.cli.console import emit, json_option, log
from wrongcot_data.cli.datasets import found_config

if TYPE_CHECKING:
    from wrongcot_train.audit import Audit

# The words of the config file are TRL's; each also works as a flag, beside the shorter ones.
SETTINGS = (
    click.option(
        "--lora/--full",
        "use_peft",
        default=None,
        help="Train an adapter and merge it, or all weights.  [default: full]",
    ),
    click.option("--max-steps", type=int, help="Optimiser steps, instead of epochs."),
    click.option("--epochs", "--num-train-epochs", "num_train_epochs", type=float, help="[default: 10]"),
    click.option("--learning-rate", type=float, help="[default: 1e-05; 0.0001 with --lora]"),
    click.option(
        "--batch-size",
        "--per-device-train-batch-size",
        "per_device_train_batch_size",
        type=int,
        help="Rows at once.  [default: 4]",
    ),
    click.option(
        "--grad-accum",
        "--gradient-accumulation-steps",
        "gradient_accumulation_steps",
        type=int,
        help="Batches a step.  [default: 16]",
    ),
    click.option("--max-length", type=int, help="Tokens a row; a longer one is an error.  [default: the longest row]"),
    click.option("--allow-truncation", is_flag=True, default=None, help="Cut rows that are too long, and count them."),
    click.option("--eos-token", help="What ends a reply.  [default: the tokenizer's own]"),
    click.option("--seed", type=int, help="[default: 42]"),
)


def settings(command: Any) -> Any:
    """Add the flags that override settings of the config file."""
    for option in reversed(SETTINGS):
        command = option(command)
    return command


@click.command()
@click.option("--student", required=True, help="Registry name, Hub id, folder or GGUF file.")
@click.option("--dataset", required=True, metavar="DATASET", help="A folder, or ORG/NAME@v1.2.0 or ORG/NAME:wrong.")
@click.option("--variant", help="Which traces: reference, right, wrong, ...; or say it behind a colon in --dataset.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the student; needed unless --dry-run.")
@settings
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="YAML with settings in TRL's words.")
@click.option("--dry-run", is_flag=True, help="Audit the rows, show one, count; train nothing.")
@json_option
def sft(
    *,
    student: str,
    dataset: str,
    variant: str | None,
    out: Path | None,
    config_file: Path | None,
    dry_run: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Fine-tune a student on one variant of a data set, with TRL.

    The loss is on the completion only. Before the first step every row is audited: its prompt masked, its stop token
    trained, nothing cut.
    """
    from wrongcot_data.spec import parse_model, read_config
    from wrongcot_train import sft as training
    from wrongcot_train.config import SftConfig

    if out is None and not dry_run:
        raise click.UsageError("Missing option '--out'.")
    values = read_config(config_file) if config_file else {}
    values |= {name: value for name, value in flags.items() if value is not None}
    at = found_config(dataset, variant)
    if not at.config:
        raise click.UsageError("which traces? --variant wrong, or --dataset DATASET:wrong")
    spec = training.SftSpec(student, at.folder, at.config, parse_model(SftConfig, values), at.name, at.commit)
    with redirect_stdout(sys.stderr):  # what a library prints is no result
        if out is None or dry_run:
            plan, audit = training.dry_run(spec)
            record: dict[str, Any] = {"dry_run": True, **plan, "example": [list(piece) for piece in audit.example]}
        else:
            record = {"out": str(out), **training.sft(spec, out, log)}
    emit(record, as_json, lambda: plan_text(record, audit) if record.get("dry_run") else result_text(record))


def plan_text(plan: dict[str, Any], audit: Audit) -> str:
    """A dry run for people: the first row with its trained tokens marked, then the counts."""
    colour = sys.stdout.isatty()
    pieces = [
        (click.style(text, fg="green") if colour else f"⟦{text}⟧") if trained else text
        for text, trained in audit.example
    ]
    mark = "green" if colour else "⟦ ⟧"
    return "\n".join(
        (
            f"the first row, trained tokens in {mark}:",
            "".join(pieces),
            "",
            f"audit passed: {audit.rows} rows, {audit.cut} cut, the longest {audit.longest} tokens",
            f"{audit.tokens} tokens, {audit.trained_tokens} of them trained; rows end in {', '.join(audit.stops)}",
            f"format {plan['format']}, {plan['steps']} steps; nothing was trained",
        )
    )


def result_text(record: dict[str, Any]) -> str:
    """A finished run for people, and what to type next."""
    losses = record["losses"]
    done = "was there already" if record["reused"] else f"trained in {record['seconds']:.0f} s"
    return "\n".join(
        (
            f"student   {record['out']}  ({done})",
            f"rows      {record['audit']['rows']} of {record['variant']}, {record['steps']} steps",
            f"loss      {losses[0]:.4f} -> {losses[-1]:.4f}" if losses else "loss      no step was taken",
            f"next      wrongcot-train eval --model {record['out']} --task countdown",
        )
    )
