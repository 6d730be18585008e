"""Builds over problems that are written here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.wrongcot_data.variants.builds import ROWS, Command


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """The command line of a build over problems that are written here."""

    def make(task: str, out: Path, *flags: object, count: int = 24) -> list[object]:
        args: list[object] = ["build", task, "--teacher", "scripted", "--limit", count, "--out", out, *flags]
        if task in ROWS:
            source = tmp_path / f"{task}.jsonl"
            source.write_text("".join(json.dumps(ROWS[task](number)) + "\n" for number in range(count)))
            args += ["--source", source]
        return args

    return make
