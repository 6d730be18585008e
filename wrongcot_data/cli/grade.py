"""`wrongcot-data grade`: grade anyone's completions."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click

from wrongcot_data.cli.console import json_option, log
from wrongcot_data.cli.options import unsafe_option
from wrongcot_data.errors import BadInput, Unavailable, unknown


@click.command(short_help="Grade the completions of a JSON Lines file.")
@click.argument("task")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Where the graded lines go.  [default: stdout]")
@click.option("--scorer", help="One of the task's other scorers, as one more field (Countdown: tinyzero).")
@unsafe_option
@json_option
def grade(task: str, file: Path, out: Path | None, scorer: str | None, as_json: bool) -> None:
    """Grade each line of FILE (`-` for standard input): JSON with `completion`, the problem, and `finish_reason` if it
    is known. The problem is `nums` and `target` (countdown), `question` and `reference_answer` (gsm8k, math), or
    `question`, `test_list` and perhaps `test_setup_code` (mbpp).

    Each line out is the line in with `grade`, `reason`, `answer`, `form`, `sandbox`, `problem_id`, `steps` added;
    fields of these names are replaced. A line that cannot be graded is named on stderr with its number and skipped;
    the exit code is 1 then. With --json, one object with the counts, and with the rows unless --out takes them.
    """
    from wrongcot_data.grade import grade_lines
    from wrongcot_data.tasks import get_task

    the_task = get_task(task)
    if scorer and scorer not in the_task.scorers:
        raise unknown("scorer", scorer, the_task.scorers)
    grades: Counter[str] = Counter()
    faults: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    with _lines(file) as lines, _sink(out, file) as sink:
        for result in grade_lines(the_task, lines, scorer):
            if result.fault:
                faults.append({"line": result.line, "fault": result.fault})
                log(f"{file}:{result.line}: {result.fault}; skipped")
                continue
            grades[result.row["grade"]] += 1
            if as_json and out is None:
                rows.append(result.row)
            else:
                sink.write(json.dumps(result.row) + "\n")
    counts = {
        "graded": grades.total(),
        "grades": dict(sorted(grades.items())),
        "skipped": len(faults),
        "faults": faults,
    }
    if as_json:
        where = {"rows": rows} if out is None else {"out": str(out)}
        click.echo(json.dumps({**counts, **where}))
    else:
        by_grade = ", ".join(f"{count} {name}" for name, count in sorted(grades.items())) or "none"
        log(f"{grades.total()} graded: {by_grade}; {len(faults)} lines skipped")
    if faults:
        sys.exit(1)


@contextmanager
def _lines(file: Path) -> Iterator[Iterator[bytes]]:
    if str(file) == "-":
        yield iter(sys.stdin.buffer)
        return
    try:
        handle = file.open("rb")
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror}") from error
    with handle:
        yield iter(handle)


@contextmanager
def _sink(out: Path | None, source: Path) -> Iterator[TextIO]:
    """Where graded lines go: a file appears under its name only when it is whole."""
    if out is None:
        yield sys.stdout
        return
    if out.is_dir():
        raise Unavailable(f"cannot write {out}: it is a folder", try_=["--out FILE"])
    half = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        if out.exists() and source.exists() and out.samefile(source):
            raise BadInput(f"--out {out} is the file that is read", try_=["--out another file"])
        handle = half.open("w", encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"cannot write {out}: {error.strerror}", try_=["--out another file"]) from error
    try:
        with handle:
            yield handle
        half.replace(out)
    finally:
        half.unlink(missing_ok=True)
