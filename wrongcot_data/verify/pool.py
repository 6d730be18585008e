"""Are the variants cut from the pool as a build cuts them, and are they those that the spec asks for?

Of each problem the first distinct samples of a grade, so every row that is missing or comes from another sample is
named; and every row of a sample tells the same of it as the pool does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

from wrongcot_data.pool.distinct import first_distinct
from wrongcot_data.publish.columns import SAMPLES
from wrongcot_data.spec import BuildSpec
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants import REGISTRY
from wrongcot_data.variants.corrupt.rows import config_of
from wrongcot_data.variants.matching import mixes_of
from wrongcot_data.variants.pooled import REPLIES
from wrongcot_data.verify.replies import STAGES

Row = Mapping[str, Any]
ReadRows = Callable[[str], Iterable[Row]]

CUT = ("right", "wrong")
"""Variants that are samples of the pool, as they are."""

NOBODY: Mapping[str, Any] = {
    **dict.fromkeys(("teacher", "teacher_revision", "engine", "sampling", "prompt_template"), ""),
    "seed": 0,
    "attempt": -1,
    "finish_reason": "stop",
    "n_tokens": 0,
}
"""What a row says of its source where no model wrote it."""


def origin_faults(task: Task, config: str, row: Row, manifest: Mapping[str, Any], *, written: bool) -> Iterator[str]:
    """What a row says otherwise than every row of its kind must.

    Args:
        written: whether a model wrote it.
    """
    judged = manifest[STAGES[config][0]]["rules"] if config in STAGES else manifest["grader_version"]
    told = {"task": task.name, "grader_version": judged}
    told["schema_version"] = manifest.get("schema_version")
    if "author" in row:
        told |= {"author": "model"} if written else {"author": task.author, **NOBODY}
    for name, value in told.items():
        if row[name] != value:
            yield f"{name} is {row[name]!r}, not {value!r}"
    if "sample_id" in row and not row["sample_id"].endswith(f"-{row['attempt']}"):
        yield f"attempt is {row['attempt']}, which is not that of sample {row['sample_id']}"


def pool_faults(manifest: Mapping[str, Any], spec: BuildSpec, read: ReadRows) -> Iterator[str]:
    """What of the variants that are cut from the pool is not what its samples make."""
    cut = [name for name in CUT if name in spec.variants and name in manifest["rows"]]
    # two problems that ask the same share their samples, and each has rows of its own
    rows = {name: {(row["problem_id"], row["parent_id"]) for row in read(name)} for name in cut}
    due: dict[str, set[tuple[str, str]]] = {name: set() for name in cut}
    problems: dict[str, Counter[str]] = {name: Counter() for name in cut}
    for problem, group in groupby(read(SAMPLES), key=itemgetter("problem_id")):
        samples = list(group)
        if [sample["attempt"] for sample in samples] != list(range(len(samples))):
            yield f"{SAMPLES}: the attempts at {problem} are not 0 to {len(samples) - 1}, in order"
        for name in cut:
            graded = [sample for sample in samples if sample["grade"] == REGISTRY[name].wanted]
            first = first_distinct([sample["completion"] for sample in graded])[: spec.per_problem]
            for number in first:
                sample_id = graded[number]["sample_id"]
                due[name].add((problem, sample_id))
                problems[name][problem] += 1
                if spec.match == "none" and (problem, sample_id) not in rows[name]:
                    yield f"{name}: the row of sample {sample_id} ({problem}) is missing"
    for name in cut:
        for problem, sample_id in sorted(rows[name] - due[name]):
            yield f"{name}: sample {sample_id} has a row, but is none of the first {spec.per_problem} of {problem}"
        told = manifest["composition"].get("before", {}).get(name, {})
        found = {"rows": len(due[name]), "problems": len(problems[name])}
        if {key: told.get(key) for key in found} != found:
            yield f"composition: before matching {name} had {found}, but the manifest says {told}"


def engine_faults(manifest: Mapping[str, Any], read: ReadRows) -> Iterator[str]:
    """Whether the engines of the manifest are those of the samples."""
    found = sorted({row["engine"] for row in read(SAMPLES)})
    if found != manifest.get("engines"):
        yield f"engines: the samples have {found}, but the manifest says {manifest.get('engines')}"


def spec_faults(manifest: Mapping[str, Any], spec: BuildSpec) -> Iterator[str]:
    """What of the data set is not what its own spec asks for."""
    variants = [one for name in spec.variants for one in _configs_of(name, spec)]
    asked = {*variants, *mixes_of(spec)}
    yield from _unlike("by_variant of the receipt has", set(manifest["receipt"]["by_variant"]), asked)
    views = set(manifest["receipt"]["views"] if spec.views is None else spec.views)
    yield from _unlike("views of the receipt has", set(manifest["receipt"]["views"]), views)
    yield from _unlike("rows has", set(manifest["rows"]) - {SAMPLES, *REPLIES}, asked | views)
    if manifest["composition"]["match"] != spec.match:
        yield f"composition: match is {manifest['composition']['match']!r}, but the spec says {spec.match!r}"
    for name, value in spec.sampling.model_dump(mode="json").items():
        if value is not None and manifest["sampling"].get(name) != value:
            yield f"sampling: {name} is {manifest['sampling'].get(name)}, but the spec says {value}"
    for file in manifest["files"]:
        if "rows" in file and not file["path"].partition("/")[2].startswith(f"{spec.split}-"):
            yield f"{file['path']}: is not of the spec's split {spec.split}"


def _configs_of(name: str, spec: BuildSpec) -> list[str]:
    return [config_of(level) for level in spec.corrupt.levels] if name == "corrupt" else [name]


def _unlike(what: str, found: set[str], asked: set[str]) -> Iterator[str]:
    if found != asked:
        more, less = sorted(found - asked), sorted(asked - found)
        told = [f"{', '.join(more)}, which the spec does not ask for"] if more else []
        told += [f"no {', '.join(less)}, which the spec asks for"] if less else []
        yield f"spec: {what} {' and '.join(told)}"
