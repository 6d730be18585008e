"""The program `wrongcot-train`: one file a verb, imported when it is used."""

from __future__ import annotations

import click

from wrongcot_data import __version__
from wrongcot_data.cli.console import EXIT_CODES, Program

VERBS = {
    "sft": "wrongcot_train.cli.sft:sft",
    "eval": "wrongcot_train.cli.eval:evaluate",
    "compare": "wrongcot_train.cli.compare:compare",
    "sweep": "wrongcot_train.cli.sweep:sweep",
    "card": "wrongcot_train.cli.card:card",
    "presets": "wrongcot_train.cli.presets:presets",
}


@click.group(cls=Program, name="wrongcot-train", verbs=VERBS, epilog=EXIT_CODES)
@click.version_option(__version__, prog_name="wrongcot-train")
def main() -> None:
    """Fine-tune students on chain-of-thought traces, score them honestly, and compare them."""
