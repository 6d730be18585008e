"""Flags that several verbs of both programs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click


def _accept_unsafe(_ctx: click.Context, _option: click.Parameter, accepted: bool) -> None:
    if accepted:
        from wrongcot_data.graders.sandbox import allow_unsafe

        allow_unsafe()


unsafe_option = click.option(
    "--accept-unsafe-exec",
    is_flag=True,
    expose_value=False,
    callback=_accept_unsafe,
    help="Run model-written code even where no sandbox holds; every grade says so.",
)


base_url_option = click.option(
    "--base-url",
    "base_urls",
    multiple=True,
    metavar="URL",
    help="An OpenAI-compatible server that has the teacher; repeat for several. Sets --engine server.",
)


def at_servers(fields: dict[str, Any], base_urls: Sequence[str]) -> dict[str, Any]:
    """Make the fields of a spec say that servers run the teacher; returns the options for the engine.

    Raises:
        UsageError: the fields name another engine.
    """
    if fields.setdefault("engine", "server") != "server":
        raise click.UsageError(f"--base-url is for the engine server, not for {fields['engine']}")
    return {"base_urls": list(base_urls)}


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The flags for where the problems of a task come from and what else decides them."""
    options = click.option(
        "--problems",
        multiple=True,
        metavar="NAME=VALUE",
        help="An option of the task's own, such as trace_style=reasoned; repeat for several.",
    )
    source = click.option("--source", help="JSON Lines or Parquet file with the problems.  [default: the Hub]")
    return source(options(command))


def pairs(flag: str, texts: Sequence[str]) -> dict[str, Any]:
    """`NAME=VALUE` texts as a mapping, the values read as YAML.

    Raises:
        UsageError: one has no `=`, or a value is no YAML.
    """
    from wrongcot_data.spec import parse_yaml

    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise click.UsageError(f"{flag} takes NAME=VALUE, not {text!r}")
        try:
            found[name] = parse_yaml(value)
        except ValueError as error:
            raise click.UsageError(f"{flag} {name}={value!r} is no YAML value") from error
    return found
