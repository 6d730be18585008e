"""The program `wrongcot-data`: one file a verb, imported when it is used."""

from __future__ import annotations

import click

from wrongcot_data import __version__
from wrongcot_data.cli.console import EXIT_CODES, Program

VERBS = {
    "build": "wrongcot_data.cli.build:build",
    "grade": "wrongcot_data.cli.grade:grade",
    "show": "wrongcot_data.cli.show:show",
    "verify": "wrongcot_data.cli.verify:verify",
    "report": "wrongcot_data.cli.report:report",
    "push": "wrongcot_data.cli.push:push",
    "pull": "wrongcot_data.cli.versions:pull",
    "list": "wrongcot_data.cli.versions:list_versions",
    "diff": "wrongcot_data.cli.diff:diff",
    "journal": "wrongcot_data.cli.journal:journal",
    "tasks": "wrongcot_data.cli.listings:tasks",
    "teachers": "wrongcot_data.cli.listings:teachers",
    "doctor": "wrongcot_data.cli.doctor:doctor",
}


@click.group(cls=Program, name="wrongcot-data", verbs=VERBS, epilog=EXIT_CODES)
@click.version_option(__version__, prog_name="wrongcot-data")
def main() -> None:
    """Build and check chain-of-thought data sets whose quality is controlled and known."""
