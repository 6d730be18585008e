"""`wrongcot-data push`: publish a data set as a version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wrongcot_data.cli.console import emit, json_option, log

if TYPE_CHECKING:
    from wrongcot_data.versions.push import Pushed
    from wrongcot_data.versions.store import Store


@click.command(short_help="Publish a data set as a version, on the Hub or in a folder.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--repo", metavar="ORG/NAME", help="On the Hub; made if it is not there, private unless --public.")
@click.option("--to", type=click.Path(path_type=Path), help="A folder of versions instead, as on a shared disk.")
@click.option("--version", "text", required=True, help="Three numbers, such as 1.2.0. A version never moves.")
@click.option("--note", default="", help="A sentence for the changelog.")
@click.option("--public", is_flag=True, help="Whether a repository that is made may be seen by everybody.")
@click.option("--create-pr", is_flag=True, help="Propose it, where you may not write; the owners tag it by a push.")
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@json_option
def push(
    folder: Path,
    repo: str | None,
    to: Path | None,
    text: str,
    note: str,
    public: bool,
    create_pr: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Publish FOLDER, a finished data set, as one commit with a tag, and read it back.

    The version must fit what changed since the one before: major where rules changed or rows are gone or others, minor
    where rows were added, patch where only the card changed. The same command again completes a push that was cut
    off, and does nothing once it is done.
    """
    from wrongcot_data.versions.push import push as publish
    from wrongcot_data.versions.version import parse_version

    version = parse_version(text)
    store = _store(repo, to, public=public, create_pr=create_pr)
    pushed = publish(folder, store, version, note, tell=log, dry_run=dry_run)
    change = pushed.change
    result = {
        "dataset": str(folder),
        "name": f"{store.name}@{version.tag}",
        "version": str(version),
        "commit": pushed.written.commit,
        "url": pushed.written.url,
        "tagged": pushed.written.tagged,
        "written": pushed.release is not None and not dry_run,
        "change": {"size": change.size, "reasons": list(change.reasons)} if change else None,
        "rows": dict(pushed.rows),
    }
    emit(result, as_json, lambda: _text(result, pushed, dry_run=dry_run))


def _store(repo: str | None, to: Path | None, *, public: bool, create_pr: bool) -> Store:
    """Where a push goes.

    Raises:
        UsageError: both places are given, or none, or a flag of the one for the other.
        BadInput: the folder cannot be one of versions.
    """
    from wrongcot_data.versions.dataset_ref import check_repo
    from wrongcot_data.versions.hub import Hub
    from wrongcot_data.versions.shelf import open_shelf

    if (repo is None) == (to is None):
        raise click.UsageError("where to? --repo ORG/NAME (the Hub) or --to FOLDER")
    if to is not None:
        if public or create_pr:
            raise click.UsageError("--public and --create-pr are for the Hub, not for --to")
        return open_shelf(to)
    assert repo is not None
    check_repo(repo)
    return Hub(repo, private=not public, propose=create_pr)


def _text(result: dict[str, Any], pushed: Pushed, *, dry_run: bool) -> str:
    name, rows = result["name"], sum(result["rows"].values())
    if pushed.release is None:
        return f"{name} is there already, with these bytes (commit {result['commit'] or 'none'})"
    why = [f"  {reason}" for reason in result["change"]["reasons"]] if result["change"] else ["  the first version"]
    what = f"{result['change']['size']} change:" if result["change"] else "new:"
    if dry_run:
        return "\n".join([f"would publish {name}, {rows:,} rows", what, *why])
    if not pushed.written.tagged:
        return f"proposed as {result['url']}; once it is merged, the owners' same command gives it its tag"
    return "\n".join([f"{name}: {rows:,} rows, every file read back", f"  {result['url']}", what, *why])
