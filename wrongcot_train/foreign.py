"""Data sets on the Hub that are not ours, as a config for `trl sft` names them: rows of prompt and completion."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wrongcot_data.cli.console import log
from wrongcot_data.cli.datasets import found_config
from wrongcot_data.errors import BadInput, Unavailable
from wrongcot_data.publish.dataset import MANIFEST
from wrongcot_data.versions.dataset_ref import parse_ref
from wrongcot_data.versions.hub import Hub
from wrongcot_data.versions.locate import Located

if TYPE_CHECKING:
    from datasets import Dataset

    from wrongcot_train.data import TraceSet

WANTED = ("prompt", "completion")


def found_rows(text: str, config: str | None) -> Located:
    """The files of a data set, ours or not; one that is not ours is taken at its newest commit.

    Raises:
        WrongcotError: the text names none, or it cannot be had.
    """
    try:
        return found_config(text, config)
    except Unavailable:
        ref = parse_ref(text)
        if not ref.repo or ref.version:
            raise
        try:
            folder = Hub(ref.repo).fetch(ref.commit or "main", ["*"])
        except Unavailable:
            folder = None
        if folder is None or (folder / MANIFEST).is_file():
            raise
    chosen = config or ref.config or "default"
    log(f"{ref.repo} is no data set of ours; its rows are taken as they are at commit {folder.name}")
    return Located(replace(ref, config="").repo, folder, None, folder.name, chosen)


def read_foreign(at: Located, split: str) -> TraceSet:
    """The rows of a data set that is not ours.

    Raises:
        BadInput: no such config or split, or rows without a prompt and a completion.
    """
    import datasets

    from wrongcot_train.data import TraceSet

    datasets.disable_progress_bars()
    try:
        rows = datasets.load_dataset(str(at.folder), None if at.config == "default" else at.config, split=split)
    except (ValueError, FileNotFoundError, datasets.exceptions.DatasetGenerationError) as error:
        raise BadInput(f"{at.name} does not load: {str(error).strip().splitlines()[0]}") from error
    if not set(WANTED) <= set(rows.column_names):
        held = ", ".join(rows.column_names)
        raise BadInput(
            f"{at.name} holds {held}; a student is trained on prompt and completion",
            try_=["--dataset ORG/NAME:CONFIG    (another one)"],
        )
    rows = rows.select_columns(list(WANTED))
    return TraceSet(at.folder, at.config, "", "", _digest(rows), rows)


def _digest(rows: Dataset) -> str:
    """SHA-256 of the rows' content, whatever files they lie in."""
    import pyarrow as pa

    whole: Any = rows.data.table.combine_chunks()
    sink = hashlib.sha256()
    for batch in pa.Table.from_arrays(whole.columns, names=whole.column_names).to_batches():
        sink.update(batch.serialize())
    return sink.hexdigest()
