"""`wrongcot-data journal`: look after the file that holds every sample."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from wrongcot_data.cli.console import emit, json_option


@click.group(short_help="Look after the file that holds every sample.")
def journal() -> None:
    """The journal of a build is `pool/journal.sqlite` in its folder."""


@journal.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def recover(file: Path, as_json: bool) -> None:
    """Save every sample that can still be read from a damaged journal FILE.

    The saved samples become FILE; the damaged file is kept beside it under another name. The build goes on from there
    by its own command.
    """
    from wrongcot_data.errors import BadInput, CheckFailed
    from wrongcot_data.pool.journal import recover as save_readable

    if not file.is_file():
        raise BadInput(f"there is no file {file}")
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
    emit(
        {"journal": str(file), "samples": count, "damaged": str(damaged)},
        as_json,
        f"{count} samples saved in {file}; the damaged file is {damaged}",
    )


def _damaged(file: Path, number: int) -> Path:
    return file.with_name(f"{file.stem}.damaged-{number}{file.suffix}")
