"""The manifest of a data set, `wrongcot.json`, as readers rely on it, and the rows that it names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, Field, ValidationError

from wrongcot_data.errors import BadInput
from wrongcot_data.publish.dataset import MANIFEST
from wrongcot_data.spec import BaseName

UNREADABLE = (OSError, pa.ArrowException, UnicodeDecodeError)
"""What reading a Parquet file raises that somebody has changed."""

UNFIT = (LookupError, ValueError, TypeError)
"""What computing with rows raises that nobody could have built."""


_Config = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]*$")]
"""A config is a folder of the data set: a name that leads out of it, or to a terminal's commands, is none."""

_Count = Annotated[int, Field(ge=0, lt=2**63)]


class _File(BaseModel):
    path: str = Field(pattern=r"^\w[^/\\]*(/\w[^/\\]*)*$")  # inside the folder
    bytes: _Count
    sha256: str
    rows: _Count = 0


class _Composition(BaseModel):
    match: str
    after: dict[str, dict[str, Any]]


class _Teacher(BaseModel):
    name: str
    revision: str


class _NamesTask(BaseModel):
    task: str


class VariantAccount(BaseModel):
    """What a receipt says of a variant or a view."""

    asked: int
    kept: int
    left_out: dict[str, int]


class JudgedAccount(BaseModel):
    """What it says of the replies about traces."""

    replies: int
    accepted: int
    refused: dict[str, int]
    samples: dict[str, int] = Field(default_factory=dict)
    tokens: int
    prompt_tokens: int


class Account(BaseModel):
    """A receipt, as far as readers rely on it."""

    asked: int
    kept: dict[str, int]
    left_out: dict[str, int]
    samples: dict[str, int]
    tokens: int
    prompt_tokens: int
    paraphrase_samples: JudgedAccount | None = None
    corrupt_samples: JudgedAccount | None = None
    balanced: bool
    by_variant: dict[str, VariantAccount]
    views: dict[str, VariantAccount]


class Writer(BaseModel):
    """What a manifest says of a model that was asked about traces."""

    name: str
    revision: str


class StageFacts(BaseModel, strict=True):
    """What a manifest says of a stage that asked a model about traces."""

    of: BaseName
    prompt_template: str
    rules: str


class ParaphraseFacts(StageFacts):
    """Of the stage that had traces rewritten."""

    paraphraser: Writer


class CorruptionFacts(StageFacts):
    """Of the stage that had mistakes made in steps."""

    teacher: Writer


class _Entry(BaseModel):
    version: str
    change: str
    because: list[str]
    note: str


class _Release(BaseModel):
    repo: str
    version: str
    changelog: list[_Entry] = Field(min_length=1)


class _Manifest(BaseModel, strict=True):
    """What readers rely on, so that a manifest of another shape is one clear error."""

    spec: _NamesTask
    spec_hash: str
    teacher: _Teacher
    prompt_template: str
    sampling: dict[str, Any]
    files: list[_File]
    rows: dict[_Config, _Count] = Field(min_length=1)
    content: dict[_Config, str]
    composition: _Composition
    receipt: Account
    paraphrase: ParaphraseFacts | None = None
    corruption: CorruptionFacts | None = None
    grader_version: str
    schema_version: int
    release: _Release | None = None


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a data set.

    Raises:
        BadInput: there is none, or it cannot be read.
    """
    path = folder / MANIFEST
    if not path.is_file():
        built = (folder / "pool").is_dir()
        story = "its build has not finished" if built else "it is not a data set of ours"
        raise BadInput(
            f"{folder} has no {MANIFEST}: {story}",
            try_=["the build command again, to finish it"] if built else ["wrongcot-data build TASK --out FOLDER"],
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        _Manifest.model_validate(manifest)
    except (OSError, ValueError, RecursionError) as error:
        story = _first_fault(error) if isinstance(error, ValidationError) else str(error)
        raise BadInput(f"{path} cannot be read: {story}", try_=["the build command again, to write it anew"]) from error
    return dict(manifest)


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    where = [str(part) if str(part).isprintable() else repr(part) for part in fault["loc"]]
    return f"{'.'.join(where) or 'manifest'}: {fault['msg']}"


def configs_of(folder: Path) -> dict[str, list[Path]]:
    """The Parquet files of each config, in order, as the manifest names them."""
    files: dict[str, list[Path]] = {}
    for file in read_manifest(folder)["files"]:
        if "rows" in file:
            files.setdefault(file["path"].split("/")[0], []).append(folder / file["path"])
    return files


def read_rows(folder: Path, config: str) -> Iterator[dict[str, Any]]:
    """The rows of a config, one at a time.

    Raises:
        BadInput: a file of it is missing or no Parquet.
    """
    for path in configs_of(folder).get(config, []):
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=1000):
                    yield from batch.to_pylist()
        except UNREADABLE as error:
            raise BadInput(f"cannot read {path}: {error}") from error
