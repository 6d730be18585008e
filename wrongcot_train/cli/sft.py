"""`wrongcot-train sft`."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wrongcot_data.cli.console import emit, json_option, log

if TYPE_CHECKING:
    from wrongcot_train.audit import Audit
    from wrongcot_train.config import SftConfig
    from wrongcot_train.sft import SftSpec
    from wrongcot_train.sft.estimate import Estimate

# Every word of TRL is a flag; these are the ones that most runs need, some under a shorter name beside TRL's.
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
    click.option("--packing", help="auto, true or false: several rows in one sequence.  [default: auto]"),
    click.option("--prompt-format", help="auto, chat or plain-v1.  [default: auto]"),
    click.option("--eos-token", help="What ends a reply.  [default: the tokenizer's own]"),
    click.option("--seed", type=int, help="[default: 42]"),
    click.option("--curve-items", type=int, help="Items scored at step 0 and each checkpoint.  [default: 0, no curve]"),
)


def settings(command: Any) -> Any:
    """Add the flags that override settings of the config file."""
    for option in reversed(SETTINGS):
        command = option(command)
    return command


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    epilog="Every other setting of `trl sft` is a flag too, such as --adam-beta2 0.95, and so are those of "
    "`accelerate launch`, such as --num-processes 4 or --accelerate-config fsdp2.",
)
@click.option("--student", "model_name_or_path", help="Registry name, Hub id, folder or GGUF file.")
@click.option("--dataset", "dataset_name", metavar="DATASET", help="A folder, or ORG/NAME@v1.2.0 or ORG/NAME:wrong.")
@click.option(
    "--variant", "dataset_config", help="Which traces: reference, right, wrong, ...; or behind a colon in --dataset."
)
@click.option("--out", "output_dir", help="Folder for the student; needed unless --dry-run.")
@settings
@click.option("--preset", help="Settings by a name; wrongcot-train presets lists them.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="YAML with settings in TRL's words.")
@click.option("--resume", is_flag=True, help="Go on from the newest good checkpoint, where there is one.")
@click.option("--show-config", is_flag=True, help="Every setting, its value and where it came from; do nothing.")
@click.option("--dry-run", is_flag=True, help="Audit the rows, show one, estimate; train nothing.")
@json_option
@click.pass_context
def sft(
    context: click.Context,
    /,
    *,
    preset: str | None,
    config_file: Path | None,
    resume: bool,
    show_config: bool,
    dry_run: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Fine-tune a student on one variant of a data set, with TRL.

    The loss is on the completion only. Before the first step every row is audited: its prompt masked, its stop token
    trained, nothing cut. A file for `trl sft` works with --config; flags win over it, and it over --preset.
    """
    from wrongcot_train import sft as training
    from wrongcot_train.cli.launch import launched, needs_launch
    from wrongcot_train.cli.layers import read_layers

    with redirect_stdout(sys.stderr):  # what a library prints is no result
        said = read_layers(preset, config_file, flags, context.args)
        if not show_config and needs_launch(said.launch):
            training.look_up(_spec(said.config, preset, resume))  # a misspelt name before anything is started
            sys.exit(launched(said.launch))
        if show_config:
            shown = shown_config(said.config)
        elif dry_run:
            plan, audit, needed = training.dry_run(_spec(said.config, preset, resume), _place(said.config))
        else:
            out = _place(said.config)
            if out is None:
                raise click.UsageError("Missing option '--out'.")
            from wrongcot_train.device import is_main

            say = log if is_main() else _say_nothing
            record = {"out": str(out), **training.sft(_spec(said.config, preset, resume), out, say)}
            if not is_main():
                return
    if show_config:
        emit(shown, as_json, lambda: config_text(shown))
    elif dry_run:
        told = {"dry_run": True, **plan, "estimate": estimate_json(needed), "example": [list(p) for p in audit.example]}
        emit(told, as_json, lambda: plan_text(plan, audit, needed))
    else:
        emit(record, as_json, lambda: result_text(record))


def _place(config: SftConfig) -> Path | None:
    """Where the student goes; None where nobody said. No shell expands the home folder in a file."""
    said = config.values.get("output_dir")
    return Path(str(said)).expanduser() if said else None


def _say_nothing(line: str) -> None:
    """Of several processes only the main one talks."""


def _spec(config: SftConfig, preset: str | None, resume: bool) -> SftSpec:
    """The run that a config names.

    Raises:
        click.UsageError: it does not name a student, a data set or a variant.
        WrongcotError: the data set cannot be had.
    """
    from wrongcot_data.versions.dataset_ref import parse_ref
    from wrongcot_train.foreign import found_rows
    from wrongcot_train.sft import SftSpec

    values = config.values
    for name, flag in (("model_name_or_path", "--student"), ("dataset_name", "--dataset")):
        if not values.get(name):
            raise click.UsageError(f"Missing option '{flag}' (or {name} in the config file).")
    revision = values.get("model_revision") or "main"
    student = str(values["model_name_or_path"]) + (f"@{revision}" if revision != "main" else "")
    dataset, variant = str(values["dataset_name"]), values.get("dataset_config")
    said = parse_ref(dataset).config
    if variant is not None and said not in {"", str(variant)}:
        raise click.UsageError(f"--dataset says {said} and --variant says {variant}: which is it?")
    at = found_rows(dataset, None if variant is None else str(variant))
    if not at.config:
        raise click.UsageError("which traces? --variant wrong, or --dataset DATASET:wrong")
    going_on = resume or str(values.get("resume_from_checkpoint") or "false").lower() in {"true", "1", "yes"}
    if not going_on and values.get("resume_from_checkpoint") not in {None, False, "false", "False"}:
        raise click.UsageError("a run goes on from its own newest checkpoint: --resume, without a path")
    return SftSpec(student, at.folder, at.config, config, at.name, at.commit, preset or "", going_on)


def shown_config(config: SftConfig) -> dict[str, dict[str, Any]]:
    """Every setting with its value and origin, what people said first, TRL's own defaults last."""
    from wrongcot_train.sft.prepare import on_this_machine
    from wrongcot_train.words import trl_defaults

    ours = on_this_machine(config)
    theirs = {name: value for name, value in trl_defaults().items() if name not in ours.values}
    rank = {"flag": 0, "this machine": 8, "wrongcot default": 9}
    order = sorted(ours.values, key=lambda name: (rank.get(ours.origins[name], 5), ours.origins[name], name))
    shown = {name: {"value": ours.values[name], "origin": ours.origins[name]} for name in order}
    return shown | {name: {"value": theirs[name], "origin": "TRL default"} for name in sorted(theirs)}


def config_text(shown: dict[str, dict[str, Any]]) -> str:
    """The settings for people: one a line."""
    wide = max(map(len, shown))
    origins = max(len(one["origin"]) for one in shown.values())
    return "\n".join(f"{name:<{wide}}  {one['origin']:<{origins}}  {one['value']}" for name, one in shown.items())


def estimate_json(needed: Estimate) -> dict[str, Any]:
    """An estimate as plain values."""
    from dataclasses import asdict

    return {**asdict(needed), "seconds": needed.seconds}


def plan_text(plan: dict[str, Any], audit: Audit, needed: Estimate) -> str:
    """A dry run for people: the first row with its trained tokens marked, then the counts and the needs."""
    from wrongcot_train.sft.estimate import gigabytes

    colour = sys.stdout.isatty()
    pieces = [
        (click.style(text, fg="green") if colour else f"⟦{text}⟧") if trained else text
        for text, trained in audit.example
    ]
    mark = "green" if colour else "⟦ ⟧"
    packing = plan["packing"]
    packed = f"{packing['rows']} rows in {packing['sequences']} sequences" if packing["on"] else "not packed"
    return "\n".join(
        (
            f"the first row, trained tokens in {mark}:",
            "".join(pieces),
            "",
            f"audit passed: {audit.rows} rows, {audit.cut} cut, the longest {audit.longest} tokens",
            f"{audit.tokens} tokens, {audit.trained_tokens} of them trained; rows end in {', '.join(audit.stops)}",
            f"packing   {packed}: {packing['why']}",
            f"format {plan['format']}, {plan['steps']} steps of {packing['batch_size']} x {packing['accumulation']}, "
            f"learning rate {plan['config']['learning_rate']:g}, {plan['dtype']} on {plan['device']}",
            f"memory    about {gigabytes(needed.memory)} on each device, without sharding",
            f"disk      {gigabytes(needed.disk)}: the student, and checkpoints of {gigabytes(needed.checkpoint)}",
            f"time      about {_duration(needed.seconds)} for {needed.tokens} tokens{_beside(needed.curve_tokens)}",
            "nothing was trained",
        )
    )


def _beside(curve_tokens: int) -> str:
    return f", and what it takes to write the curve's replies, at most {curve_tokens} tokens" if curve_tokens else ""


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "an unknown time"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def result_text(record: dict[str, Any]) -> str:
    """A finished run for people, and what to type next."""
    losses = record["losses"]
    done = "was there already" if record["reused"] else f"trained in {record['seconds']:.0f} s"
    task = record["curve"][-1]["task"] if record.get("curve") else "countdown"
    return "\n".join(
        (
            f"student   {record['out']}  ({done})",
            f"rows      {record['audit']['rows']} of {record['variant']}, {record['steps']} steps",
            f"loss      {losses[0]:.4f} -> {losses[-1]:.4f}" if losses else "loss      no step was taken",
            f"next      wrongcot-train eval --model {record['out']} --task {task}",
        )
    )
