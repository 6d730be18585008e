"""How both programs speak: results on stdout, everything else on stderr, errors that end with the next step.

Exit codes: 0 done; 1 what was checked does not hold; 2 bad input or use; 3 something is missing on this machine;
130 interrupted. Anything else is a bug, with a traceback.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from wrongcot_data.errors import BadInput, Unavailable, WrongcotError, unknown

INTERRUPTED = 130
EXIT_CODES = "Exit codes: 0 done, 1 a check failed, 2 bad input, 3 missing on this machine, 130 interrupted."

AS_JSON = "wrongcot.as_json"
"""Where a context remembers that `--json` was given, for errors that come before the verb has read its options."""

_COMMANDS = re.compile(r"\x1b(?!\[[0-9;]*m)|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]")

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout and nothing else there.")


class Program(click.Group):
    """A command group whose verbs are imported when they are needed, and whose errors are short.

    Args:
        verbs: verb to `module:attribute` of its click command.
    """

    def __init__(self, *args: Any, verbs: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.verbs = dict(verbs or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.verbs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[AS_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.verbs:
            return None
        module, attribute = self.verbs[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(unknown("command", args[0], self.verbs).message, ctx) from error

    def invoke(self, ctx: click.Context) -> Any:
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # nothing leaves this machine unasked
        try:
            return super().invoke(ctx)
        except WrongcotError as error:
            complain(ctx, error)
            sys.exit(error.exit_code)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else ctx.command_path
            complain(ctx, BadInput(_one_line(error.format_message()), try_=[f"{path} --help"]))
            sys.exit(BadInput.exit_code)
        except KeyboardInterrupt:
            log("interrupted; the same command goes on from what is stored (sft: with --resume)")
            sys.exit(INTERRUPTED)
        except BrokenPipeError:  # the reader of a pipe went away, as `| head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except OSError as error:
            story = of_the_disk(error)
            if story is None:
                raise
            complain(ctx, story)
            sys.exit(story.exit_code)


NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
NOT_THIS_PATH = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP)


def of_the_disk(error: OSError) -> Unavailable | None:
    """The error for a disk without room or a path that cannot be used; None for any other, which is a bug of ours.

    Everything stored before it stays.
    """
    if error.errno in NOT_THIS_PATH and error.filename:
        return Unavailable(
            f"cannot use {error.filename}: {error.strerror}", try_=["another path, or other permissions"]
        )
    if error.errno not in NO_ROOM:
        return None
    where = f" at {error.filename}" if error.filename else ""
    return Unavailable(
        f"the disk is full{where}; what was stored so far is kept",
        try_=["make room and give the same command again"],
    )


def complain(ctx: click.Context, error: WrongcotError) -> None:
    """Say an error on stderr; with `--json` also as an object on stdout, so that a script can read it."""
    click.echo(harmless(f"{ctx.info_name or 'wrongcot'}: {error.message}"), err=True)
    for number, hint in enumerate(error.try_):
        click.echo(f"  {'try:' if number == 0 else '    '}  {hint}", err=True)
    if ctx.meta.get(AS_JSON):
        click.echo(json.dumps({"error": error.message, "try": list(error.try_)}))


def _one_line(message: str) -> str:
    """A message of click's as ours begin: no capital unless it is all of the word, no full stop."""
    text = " ".join(message.split()).rstrip(".")
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def log(text: str) -> None:
    """One line for the person at the terminal, on stderr."""
    click.echo(harmless(text), err=True)


def harmless(text: str) -> str:
    """A text without what would command a terminal: colours stay, other control characters are shown as `�`.

    Traces, notes and reasons are written by models and by strangers.
    """
    return _COMMANDS.sub("\N{REPLACEMENT CHARACTER}", text)


def emit(value: Mapping[str, Any], as_json: bool, text: str | Callable[[], str]) -> None:
    """The result of a verb on stdout: the object itself with `--json`, else the text made for people."""
    if as_json:
        click.echo(json.dumps(value, ensure_ascii=False))
    else:
        click.echo(harmless(text if isinstance(text, str) else text()))


class Progress:
    """Tells how far a long job is: a bar on a terminal, else a plain line now and then. Always on stderr."""

    def __init__(self, bar: Any, total: int, what: str, every_seconds: float) -> None:
        self._bar = bar
        self._total = total
        self._what = what
        self._every = every_seconds
        self._last = time.monotonic()
        self._task = bar.add_task(what, total=total, note="") if bar else None

    def update(self, done: int, note: str = "", *, total: int | None = None, last: bool = False) -> None:
        """Say that `done` of the total are done; `total` where it turned out to be another one."""
        self._total = self._total if total is None else total
        if self._bar:
            self._bar.update(self._task, completed=done, total=self._total, note=note)
            return
        now = time.monotonic()
        if last or now - self._last >= self._every:
            self._last = now
            log(f"{self._what}: {done}/{self._total} {note}".rstrip())


@contextmanager
def progress(total: int, what: str, *, every_seconds: float = 10.0) -> Iterator[Progress]:
    """A progress report for a job of `total` parts, `what` in one or two words."""
    if not sys.stderr.isatty():
        yield Progress(None, total, what, every_seconds)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as bar:
        yield Progress(bar, total, what, every_seconds)
