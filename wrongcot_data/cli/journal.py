"""`wrongcot-data journal`: look after the file that holds every sample."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import click

from wrongcot_data.cli.console import emit, json_option
from wrongcot_data.cli.options import journal_option
from wrongcot_data.errors import BadInput
from wrongcot_data.records import GRADES

FORMATS = (".jsonl", ".parquet")


@click.group(short_help="Look after the file that holds every reply.")
def journal() -> None:
    """All builds of a user share one journal, in the user cache folder, unless --journal names another."""


@journal.command()
@journal_option
@json_option
def stats(journal: Path | None, as_json: bool) -> None:
    """What the journal holds, by task, teacher, prompt, sampling and seed: replies, problems, tokens, grades."""
    from wrongcot_data.build import shared_journal
    from wrongcot_data.pool.accounts import sums

    path = journal or shared_journal()
    found = sums(path)
    emit(
        {"journal": str(path), "bytes": path.stat().st_size, "origins": found},
        as_json,
        lambda: "\n".join(_stats_lines(path, found)),
    )


def _stats_lines(path: Path, found: list[dict[str, Any]]) -> list[str]:
    lines = [f"journal  {path}  ({path.stat().st_size / 1e6:.1f} MB)"]
    for row in found:
        grades = ", ".join(f"{count} {grade}" for grade, count in row["grades"].items())
        lines += [
            "",
            f"{row['task'] or '(unknown)'} by {row['teacher'] or '(unknown)'} at {row['revision'][:24] or '(unknown)'},"
            f" {row['prompt_template'] or '(unknown prompt)'}, {row['sampling']},"
            f" seed {'(unknown)' if row['seed'] is None else row['seed']}",
            f"  {row['replies']} replies to {row['problems']} problems: {grades}",
            f"  {row['tokens']} tokens written, {row['prompt_tokens']} read",
        ]
    return lines


@journal.command()
@click.argument("file", type=click.Path(path_type=Path))
@journal_option
@click.option("--task", help="Only of this task.")
@click.option("--teacher", help="Only of this teacher.")
@click.option("--grade", type=click.Choice(GRADES), help="Only of this grade.")
@json_option
def export(file: Path, journal: Path | None, as_json: bool, **wanted: str | None) -> None:
    """Write every reply with its grade to FILE, JSON Lines or Parquet by its ending; `-` is JSON Lines on stdout."""
    from wrongcot_data.build import shared_journal
    from wrongcot_data.pool.accounts import rows
    from wrongcot_data.publish.export import write_rows

    path = journal or shared_journal()
    found = rows(path, {name: value for name, value in wanted.items() if value is not None})
    if str(file) == "-":
        for row in found:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    if file.suffix not in FORMATS:
        raise BadInput(f"cannot tell how to write {file}: its name must end in {' or '.join(FORMATS)}")
    count = write_rows(file, found)
    emit({"file": str(file), "rows": count}, as_json, f"{count} replies written to {file}")


@journal.command("forget-errors")
@journal_option
@json_option
def forget_errors(journal: Path | None, as_json: bool) -> None:
    """Forget the attempts that brought no reply, so that the next build asks them again.

    An attempt that a server refused, or that failed again and again, is kept as an `error` and not asked a second time.
    """
    from wrongcot_data.build import shared_journal
    from wrongcot_data.pool.journal import Journal

    path = journal or shared_journal()
    if not path.is_file():
        raise BadInput(f"there is no journal {path}", try_=["--journal PATH"])
    with Journal(path) as opened:
        count = opened.forget_errors()
    emit({"journal": str(path), "forgotten": count}, as_json, f"{count} errors forgotten in {path}")


@journal.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def recover(file: Path, as_json: bool) -> None:
    """Save every sample that can still be read from a damaged journal FILE.

    The saved samples become FILE; the damaged file is kept beside it under another name. The build goes on from there
    by its own command. A journal that is whole, or that another program has open, is left as it is.
    """
    from wrongcot_data.pool.recovery import held

    if file.is_dir():
        raise BadInput(
            f"{file} is a folder, not a journal", try_=["wrongcot-data journal stats    (says where the journal is)"]
        )
    if not file.is_file():
        raise BadInput(f"there is no file {file}", try_=["wrongcot-data journal stats    (says where the journal is)"])
    with held(file):
        count, damaged = _recover(file)
    emit(
        {"journal": str(file), "samples": count, "damaged": str(damaged)},
        as_json,
        f"{count} samples saved in {file}; the damaged file is {damaged}",
    )


def _recover(file: Path) -> tuple[int, Path]:
    """Put what can be read of a damaged journal in its place. Returns how many samples, and where the damaged is."""
    from wrongcot_data.errors import CheckFailed
    from wrongcot_data.pool.recovery import recover as save_readable

    number = next(n for n in range(1, 10_000) if not _damaged(file, n).exists())
    damaged = _damaged(file, number)
    saved = file.with_name(f"{file.name}.saved")
    saved.unlink(missing_ok=True)
    count = save_readable(file, saved)
    if not count:
        saved.unlink()
        raise CheckFailed(
            f"no sample can be read from {file}; it is left as it is",
            try_=[f"rm {shlex.quote(str(file))}    (if it is a journal: the build starts over)"],
        )
    for suffix in ("", "-wal", "-shm"):  # a write-ahead log belongs to its file
        part = file.with_name(file.name + suffix)
        if part.exists():
            part.rename(damaged.with_name(damaged.name + suffix))
    saved.rename(file)
    return count, damaged


def _damaged(file: Path, number: int) -> Path:
    return file.with_name(f"{file.stem}.damaged-{number}{file.suffix}")
