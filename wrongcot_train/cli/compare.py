"""`wrongcot-train compare`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from wrongcot_data.cli.console import emit, json_option
from wrongcot_data.errors import BadInput

ALLOWED = ("prompt_template", "grader_version", "max_tokens", "temperature", "top_p")


@click.command()
@click.argument("evals", nargs=-1, metavar="A B [C ...]")
@click.option("--group", "named", multiple=True, metavar="NAME=DIR,DIR", help="Runs of one recipe, by a name.")
@click.option("--all-pairs", is_flag=True, help="Each with each.  [default: each with the first]")
@click.option("--flips", type=click.IntRange(min=0), default=0, help="Show N items that flipped, each way.")
@click.option("--common-items", "common", is_flag=True, help="Go on with the items that all have; name the others.")
@click.option("--allow", multiple=True, type=click.Choice(ALLOWED), help="What may differ; repeat for more.")
@click.option("--plot", type=click.Path(path_type=Path), help="Forest plot: .png, .svg or .pdf.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the resampling.")
@json_option
def compare(
    *,
    evals: tuple[str, ...],
    named: tuple[str, ...],
    all_pairs: bool,
    flips: int,
    common: bool,
    allow: tuple[str, ...],
    plot: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Compare students item by item: folders of `wrongcot-train eval`, the first one what the others are held against.

    Several seeds of one recipe are one group: A1,A2,A3 or --group NAME=A1,A2,A3.
    """
    folders = groups_of(evals, named)
    from wrongcot_train import compare as comparing

    if plot is not None:
        from wrongcot_train import forest

        forest.check_plot(plot)
    groups = comparing.read_groups(folders)
    result = comparing.compare(groups, allow=allow, common=common, all_pairs=all_pairs, flips=flips, seed=seed)
    if plot is not None:
        forest.draw(result, plot)
        result["plot"] = str(plot)
    emit(result, as_json, lambda: comparison_text(result))


def groups_of(evals: Sequence[str], named: Sequence[str]) -> dict[str, list[Path]]:
    """The folders of each group by its name: as given with `--group`, else what the folder is called.

    Raises:
        BadInput: a group without a name, or two of one name.
    """
    groups: list[tuple[str, list[Path]]] = []
    for text in evals:
        folders = [Path(text)] if Path(text).is_dir() else [Path(part) for part in text.split(",") if part]
        groups.append(("", folders))
    for text in named:
        name, equals, rest = text.partition("=")
        if not name or not equals:
            raise BadInput(f"--group {text}: no name", try_=[f"--group NAME={rest or text}"])
        groups.append((name, [Path(part) for part in rest.split(",") if part]))
    short = [name or default_name(folders) for name, folders in groups]
    unique = len(set(short)) == len(short)
    names = short if unique else [name or ",".join(map(str, folders)) for name, folders in groups]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput(f"{twice} is given twice", try_=["--group NAME=FOLDER    (a name of its own for each)"])
    return {name: folders for name, (_, folders) in zip(names, groups, strict=True)}


def default_name(folders: Sequence[Path]) -> str:
    """What a folder is called; of several what they are all called without the number of the run."""
    names = [folder.resolve().name for folder in folders]
    if len(names) == 1:
        return names[0]
    bare = {re.sub(r"[-_.](?:seed|run|s|r)?\d+(?=[-_.]|$)", "", name) for name in names}
    return bare.pop() if len(bare) == 1 else ",".join(names)


def comparison_text(result: Mapping[str, Any]) -> str:
    """A comparison for people: scores, differences over items, over runs, and what they are worth."""
    of = f"{result['task']}/{result['split']}: {result['n']} items, paired"
    parts = [
        f"{of}; scores in %, differences in points, intervals of 95 %",
        scores_text(result["groups"]),
        items_text(result["comparisons"]),
        *answered_text(result["comparisons"]),
        *runs_text(result["comparisons"], result["groups"]),
        *flips_text(result["comparisons"]),
        *notes_text(result),
    ]
    return "\n\n".join(parts)


def scores_text(groups: Sequence[Mapping[str, Any]]) -> str:
    """One row a run; below several runs of a group their mean."""
    rows = [["", "strict", "over items", "right", "answered only", "right"]]
    for group in groups:
        several = len(group["runs"]) > 1
        for run in group["runs"]:
            name = f"  {Path(run['folder']).name}" if several else group["name"]
            rows.append([name, *_share(run["strict"]), *_share(run["answered"], interval=False)])
        if several:
            apart = f"runs lie {100 * group['deviation']:.1f} apart (standard deviation)"
            rows.append([group["name"], f"{100 * group['strict']:.1f}", _shares(group), apart])
    return table(rows)


def _share(accuracy: Mapping[str, Any], interval: bool = True) -> list[str]:
    value = "-" if accuracy["value"] is None else f"{100 * accuracy['value']:.1f}"
    return [value, *([_shares(accuracy)] if interval else []), f"{accuracy['correct']}/{accuracy['n']}"]


def _shares(found: Mapping[str, Any]) -> str:
    return f"[{100 * found['low']:.1f}, {100 * found['high']:.1f}]"


def items_text(comparisons: Sequence[Mapping[str, Any]]) -> str:
    """The headline: strict differences, over items."""
    many = len(comparisons) > 1
    rows = [
        ["strict", "difference", "over items", "p", *(["Holm"] if many else []), "gained", "lost", "odds", "detectable"]
    ]
    for one in comparisons:
        found = one["strict"]
        adjusted = [_p(found["p_holm"])] if many else []
        mark = "*" if found["interval"] == "score" else ""
        counts = [str(found["gained"]), str(found["lost"]), _odds(found["odds"])]
        interval = _points_interval(found) + mark
        detectable = f"{100 * found['detectable']:.1f}"
        rows.append([_pair(one), _points(found), interval, _p(found["p"]), *adjusted, *counts, detectable])
    text = table(rows)
    if any(one["strict"]["interval"] == "score" for one in comparisons):
        text += "\n* Tango's score interval: too few items flipped for a bootstrap"
    return text


def answered_text(comparisons: Sequence[Mapping[str, Any]]) -> list[str]:
    """Differences over the items that both sides answered; none where there are too few."""
    rows = [["answered by both", "difference", "over items", "p", "items"]]
    for one in comparisons:
        found = one["answered"]
        if found:
            rows.append([_pair(one), _points(found), _points_interval(found), _p(found["p"]), str(found["n"])])
        else:
            rows.append([_pair(one), "-", "too few items"])
    return [table(rows)]


def runs_text(comparisons: Sequence[Mapping[str, Any]], groups: Sequence[Mapping[str, Any]]) -> list[str]:
    """Differences over runs; where every group is a single run, that nothing is known of that."""
    if all(len(group["runs"]) == 1 for group in groups):
        return ["over runs: not known; each is one run, and another training seed may give another score"]
    many = len(comparisons) > 1
    rows = [["strict", "difference", "over runs", "p", *(["Holm"] if many else []), "runs"]]
    for one in comparisons:
        found = one["runs"]
        if found is None:
            rows.append([_pair(one), "-", "not known: needs two runs a side that differ"])
            continue
        adjusted = [_p(found["p_holm"])] if many else []
        runs = f"{found['n'][0]} and {found['n'][1]}"
        rows.append([_pair(one), _points(found), _points_interval(found), _p(found["p"]), *adjusted, runs])
    return [table(rows)]


def flips_text(comparisons: Sequence[Mapping[str, Any]]) -> list[str]:
    """The texts of items that flipped, where asked for."""
    parts = []
    for one in comparisons:
        for flip in one["flips"]:
            lines = [f"--- {flip['problem_id']}  {flip['flip']} by {one['b']}", _printable(flip["prompt"])]
            for side in ("a", "b"):
                reply = flip[side]
                answer = f"  answer {reply['answer']!r}" if reply["answer"] else ""
                lines += [
                    f"--- {one[side]}: {reply['grade']}, {reply['reason']}{answer}",
                    _printable(reply["completion"]),
                ]
            parts.append("\n".join(lines))
    return parts


def notes_text(result: Mapping[str, Any]) -> list[str]:
    """What was left out, what differs, where the plot is."""
    from wrongcot_train.compare import left_out_text

    lines = [f"left out: {left_out_text(folder, names)}" for folder, names in result["left_out"].items()]
    lines += [f"note: {note}" for note in result["notes"]]
    lines += [f"plot: {result['plot']}"] if "plot" in result else []
    return ["\n".join(lines)] if lines else []


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side, the first to the left, the others to the right. A row that ends early ends in a remark."""
    full = len(rows[0])
    counted = [row if len(row) == full else row[:-1] for row in rows]
    widths = [max(len(row[place]) for row in counted if place < len(row)) for place in range(full)]
    lines = []
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=False)]
        cells[0] = row[0].ljust(widths[0])
        cells[-1] = cells[-1] if len(row) == full else row[-1]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _pair(one: Mapping[str, Any]) -> str:
    return f"{one['b']} - {one['a']}"


def _points(found: Mapping[str, Any]) -> str:
    return f"{100 * found['difference']:+.1f}"


def _points_interval(found: Mapping[str, Any]) -> str:
    return f"[{100 * found['low']:+.1f}, {100 * found['high']:+.1f}]"


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _odds(odds: Mapping[str, Any] | None) -> str:
    if odds is None:
        return "-"
    if odds["value"] is None and odds["high"] is None and odds["low"] == 0:
        return "-"
    value, high = ("inf" if odds[end] is None else f"{odds[end]:.1f}" for end in ("value", "high"))
    return f"{value} [{odds['low']:.1f}, {high}]"


def _printable(text: str) -> str:
    """A model's text without what would move the cursor or colour the terminal."""
    return "".join(one if one.isprintable() or one in "\n\t" else "\N{REPLACEMENT CHARACTER}" for one in text.strip())
