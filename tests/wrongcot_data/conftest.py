"""Builds with the scripted teacher, through the real command line."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from wrongcot_data.cli import main
from wrongcot_data.publish.dataset import MANIFEST

Run = Callable[..., Result]


def with_own_journal(args: Sequence[object]) -> list[str]:
    """The command line, a build's journal in its own folder unless it says otherwise: tests share nothing."""
    texts = [str(arg) for arg in args]
    if "build" not in texts[:1] or "--out" not in texts or "--journal" in texts:
        return texts
    return [*texts, "--journal", str(Path(texts[texts.index("--out") + 1]) / "pool" / "journal.sqlite")]


@pytest.fixture(scope="session")
def run() -> Run:
    """Runs `wrongcot-data` in this process; its standard output and error are apart."""

    def run_program(*args: object, code: int = 0, stdin: bytes | None = None) -> Result:
        result = CliRunner().invoke(main, with_own_journal(args), input=stdin, prog_name="wrongcot-data")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    return run_program


@pytest.fixture(scope="session")
def scripted(run: Run) -> Callable[..., dict[str, Any]]:
    """Builds Countdown with the scripted teacher and gives what `--json` prints."""

    def build(out: Path, *flags: object, code: int = 0) -> dict[str, Any]:
        return json.loads(
            run("build", "countdown", "--teacher", "scripted", "--out", out, *flags, "--json", code=code).stdout
        )

    return build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, scripted: Callable[..., dict[str, Any]]) -> Path:
    """A finished data set of 60 problems, never to be written to."""
    out = tmp_path_factory.mktemp("built") / "countdown"
    scripted(out, "--limit", 60, "--per-problem", 2)
    return out


@pytest.fixture(scope="session", autouse=True)
def _no_shared_journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Builds that name neither folder nor journal keep off the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRONGCOT_JOURNAL", str(tmp_path_factory.mktemp("journal") / "shared.sqlite"))
        yield


@pytest.fixture
def rows() -> Callable[[Path, str], list[dict[str, Any]]]:
    """The rows of a config of a data set, in order."""

    def read(folder: Path, config: str) -> list[dict[str, Any]]:
        return [row for path in sorted((folder / config).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]

    return read


def program(*args: object) -> list[str]:
    """The command line of `wrongcot-data` as a process of its own."""
    return [sys.executable, "-m", "wrongcot_data", *with_own_journal(args)]


@pytest.fixture(scope="session")
def start() -> Callable[..., subprocess.Popen[str]]:
    """Starts `wrongcot-data` as a process of its own."""

    def start_program(*args: object) -> subprocess.Popen[str]:
        return subprocess.Popen(program(*args), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start_program


@pytest.fixture(scope="session")
def killed(start: Callable[..., subprocess.Popen[str]]) -> Callable[..., None]:
    """Starts a build so many times and kills it after a while; one that gets through has its end taken back."""

    def kill(command: Sequence[object], times: int, least_s: float, most_s: float) -> None:
        out, rng = Path(str(command[list(command).index("--out") + 1])), random.Random(times)
        kills = 0
        while kills < times:
            with start(*command) as process:
                time.sleep(rng.uniform(least_s, most_s))
                if process.poll() is None:
                    os.kill(process.pid, signal.SIGKILL)
                    kills += 1
                else:
                    assert process.returncode == 0, process.communicate()[1]
                    (out / MANIFEST).unlink()

    return kill
