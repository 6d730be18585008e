"""What became of a data set from one version to another: spec, rows by content id, grades by reason.

A row's identity is what it is a row *of*: its sample's id, or its problem, the trace it was made from and the attempt.
Rows of one identity in both data sets are compared column by column. What is remembered of a row is hashes, so a
million rows take some hundred MB.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from wrongcot_data.publish.dataset import config_columns, config_rows
from wrongcot_data.versions.version import Change, largest

Row = Mapping[str, Any]

NAMED = 20
"""Rows of a kind that are named; the others are counted."""

_IDENTITY = ("sample_id", "problem_id", "variant", "level", "parent_id", "attempt")
_COLUMN_BYTES = 8


@dataclass(slots=True)
class ConfigDiff:
    """What became of one config.

    Attributes:
        added, removed, changed: counts of rows; `named` has the problems of the first of each.
        columns: of the changed ones, how often each column is another.
        regraded: how often a grade with its reason became another, as (before, after).
    """

    before: int = 0
    after: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    named: dict[str, list[str]] = field(default_factory=lambda: {"added": [], "removed": [], "changed": []})
    columns: Counter[str] = field(default_factory=Counter)
    regraded: Counter[tuple[str, str]] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "rows": {"before": self.before, "after": self.after},
            "added": self.added,
            "removed": self.removed,
            "changed": self.changed,
            "named": self.named,
            "columns": dict(self.columns.most_common()),
            "regraded": [{"from": old, "to": new, "rows": n} for (old, new), n in self.regraded.most_common()],
        }

    def name(self, what: str, problem_id: str) -> None:
        """Remember one of the first rows of a kind."""
        if len(self.named[what]) < NAMED:
            self.named[what].append(problem_id)


@dataclass(frozen=True, slots=True)
class _Mark:
    """What is remembered of a row: whose it is, its grade with the reason, a hash of each column."""

    problem_id: str
    grade: str
    columns: bytes


@dataclass(frozen=True, slots=True)
class DatasetDiff:
    """What became of a data set.

    Attributes:
        change: how large a change it is, with the reasons.
        spec: fields that differ, groups as `sampling.top_p`: the old value and the new one; None where one has none.
        configs: of those that differ.
        columns: that only the old one (`removed`) or only the new one (`added`) has, by config.
    """

    change: Change
    spec: Mapping[str, tuple[Any, Any]]
    configs: Mapping[str, ConfigDiff]
    columns: Mapping[str, Mapping[str, Sequence[str]]]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "change": {"size": self.change.size or "none", "reasons": list(self.change.reasons)},
            "spec": {name: {"from": old, "to": new} for name, (old, new) in self.spec.items()},
            "columns": self.columns,
            "configs": {name: found.to_json() for name, found in self.configs.items()},
        }


def dataset_diff(old: Path, new: Path, before: Mapping[str, Any], after: Mapping[str, Any]) -> DatasetDiff:
    """The difference of two data sets in folders. Every row of a config that differs is read.

    Args:
        before, after: their manifests.

    Raises:
        OSError, ArrowException: a file of them cannot be read.
    """
    names = [*before["rows"], *(name for name in after["rows"] if name not in before["rows"])]
    other = [name for name in names if before["content"].get(name) != after["content"].get(name)]
    configs = {name: _config(old, new, name) for name in other}
    columns = {name: found for name in other if any((found := _columns(old, new, name)).values())}
    return DatasetDiff(_change(before, after, configs), spec_changes(before["spec"], after["spec"]), configs, columns)


def _change(before: Mapping[str, Any], after: Mapping[str, Any], configs: Mapping[str, ConfigDiff]) -> Change:
    """How large a change it is. Other bytes of the same rows, as of another pyarrow, are a small one."""
    touched = {name: found for name, found in configs.items() if found.removed or found.changed}
    grown = {name: found.added for name, found in configs.items() if found.added}
    gone = [name for name in before["rows"] if name not in after["rows"]]
    return largest(
        {
            "major": [
                *_rules(before, after),
                *(f"{name} is gone" for name in gone),
                *(f"{name} lacks {found.removed} rows, {found.changed} are others" for name, found in touched.items()),
            ],
            "minor": [f"{name} has {count} rows more" for name, count in grown.items()],
            "patch": [f"{path} is another" for path in _other_files(before, after)],
        }
    )


def _rules(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What a row, a grade or an acceptance means otherwise than before."""
    for name in ("schema_version", "grader_version"):
        if before[name] != after[name]:
            yield f"{name} is {after[name]}, was {before[name]}"
    for stage, what in (("paraphrase", "paraphrases"), ("corruption", "a teacher's mistakes")):
        was, now = ((manifest.get(stage) or {}).get("rules") for manifest in (before, after))
        if was and now and was != now:
            yield f"{what} are accepted by {now}, were by {was}"


def _other_files(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Files that are not what they were."""
    was, now = ({file["path"]: file["sha256"] for file in manifest["files"]} for manifest in (before, after))
    return [path for path in sorted(was.keys() | now.keys()) if was.get(path) != now.get(path)]


def spec_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Fields of a spec that differ, as `DatasetDiff.spec` has them."""
    before, after = dict(_flat(old)), dict(_flat(new))
    names = [*before, *(name for name in after if name not in before)]
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}


def _flat(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _columns(old: Path, new: Path, config: str) -> dict[str, list[str]]:
    """Columns that only one of two folders has of a config, where both have the config."""
    before, after = config_columns(old, config), config_columns(new, config)
    if not before or not after:
        return {"added": [], "removed": []}
    return {
        "added": [name for name in after if name not in before],
        "removed": [name for name in before if name not in after],
    }


def _config(old: Path, new: Path, config: str) -> ConfigDiff:
    before, after = config_columns(old, config), config_columns(new, config)
    both = [name for name in before or after if name in (after or before)]
    return rows_diff(config_rows(old, config, both), config_rows(new, config, both), both)


def rows_diff(old: Iterable[Row], new: Iterable[Row], columns: Sequence[str]) -> ConfigDiff:
    """What became of the rows of a config; old rows first, each row read once.

    Rows that share an identity, as a view's may, are told apart by their order.

    Args:
        columns: those that are compared; every row has them.
    """
    found = ConfigDiff()
    before: dict[bytes, _Mark] = {}
    for identity, mark in _marked(old, columns):
        before[identity] = mark
        found.before += 1
    for identity, mark in _marked(new, columns):
        found.after += 1
        was = before.pop(identity, None)
        if was is None:
            found.added += 1
            found.name("added", mark.problem_id)
        elif was.columns != mark.columns:
            found.changed += 1
            found.name("changed", mark.problem_id)
            found.columns.update(_others(was, mark, columns))
            if was.grade != mark.grade:
                found.regraded[was.grade, mark.grade] += 1
    found.removed = len(before)
    for mark in before.values():
        found.name("removed", mark.problem_id)
    return found


def _marked(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[tuple[bytes, _Mark]]:
    """Each row's identity and mark."""
    seen: Counter[bytes] = Counter()
    for row in rows:
        identity = _hash(
            [row.get(name) for name in ("sample_id", "problem_id", "variant", "level", "parent_id", "attempt")]
        )
        number = seen[identity]
        seen[identity] += 1
        grade = f"{row['grade']}: {row['reason']}" if "reason" in row else ""
        mark = _Mark(row["problem_id"], grade, b"".join(_hash(row[name]) for name in columns))
        yield identity + number.to_bytes(4, "big"), mark


def _others(one: _Mark, other: _Mark, columns: Sequence[str]) -> Iterator[str]:
    for number, name in enumerate(columns):
        place = slice(number * _COLUMN_BYTES, (number + 1) * _COLUMN_BYTES)
        if one.columns[place] != other.columns[place]:
            yield name


def _hash(value: object) -> bytes:
    return blake2b(repr(value).encode("utf-8", "replace"), digest_size=_COLUMN_BYTES).digest()
