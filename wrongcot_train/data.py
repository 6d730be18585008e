"""From a data set that `wrongcot-data` built to rows that TRL trains on, and to the prompts that eval sends.

A student whose tokenizer has a chat template takes the published conversational rows as they are. For any other there
is one plain form, `plain-v1`: the user turn and a newline, then the reply. TRL ends plain rows with the EOS token.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrongcot_data.errors import BadInput, CheckFailed, missing_extra, unknown
from wrongcot_data.publish.dataset import CARD, MANIFEST
from wrongcot_data.records import Message, Problem, Prompt
from wrongcot_data.tasks.base import Task
from wrongcot_data.teachers.prompting import question, render
from wrongcot_train.students import PLAIN

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True, slots=True)
class TraceSet:
    """One variant of a data set.

    Attributes:
        folder: the data set, as given.
        variant: which of its configs.
        spec_hash: what was built, as the manifest names it.
        manifest_sha256: of the bytes of the manifest.
        rows_sha256: of the bytes of this variant's files.
        rows: `prompt` and `completion`, conversational; at least one.
        task: whose problems they are; empty where the rows do not tell.
        problem_ids: of all rows; empty where the rows have none.
        problems: the task's options that the problems were drawn with, as the manifest has them.
    """

    folder: Path
    variant: str
    spec_hash: str
    manifest_sha256: str
    rows_sha256: str
    rows: Dataset
    task: str = ""
    problem_ids: frozenset[str] = frozenset()
    problems: Mapping[str, Any] = field(default_factory=dict)


def variants(folder: Path) -> list[str]:
    """The configs that a data set's card declares, in its order.

    Raises:
        BadInput: the folder is no data set of ours.
    """
    import yaml

    for name in (MANIFEST, CARD):
        if not (folder / name).is_file():
            raise BadInput(
                f"{folder} is no data set, or one whose build has not finished: it has no {name}",
                try_=["wrongcot-data build countdown --teacher smollm2-135m --out FOLDER"],
            )
    parts = (folder / CARD).read_text(encoding="utf-8", errors="replace").split("---\n")
    try:
        return [str(entry["config_name"]) for entry in yaml.safe_load(parts[1])["configs"]]
    except (IndexError, KeyError, TypeError, yaml.YAMLError) as error:
        raise BadInput(f"the front matter of {folder / CARD} declares no configs") from error


def read_traces(folder: Path, variant: str) -> TraceSet:
    """Load one variant with the real `datasets`, all columns but prompt and completion dropped.

    Raises:
        BadInput: no such data set or variant, a config that holds no traces, or no rows.
        CheckFailed: the files of the variant are missing or damaged.
        Unavailable: `datasets` is not installed.
    """
    present = variants(folder)
    if variant not in present:
        raise unknown("variant", variant, present)
    if count_rows(folder, variant) == 0:
        raise BadInput(
            f"the variant {variant!r} of {folder} has no rows, so there is nothing to train on",
            try_=[
                "wrongcot-data build ... --max-attempts 32    (more replies a problem)",
                "--limit N    (more problems)",
            ],
        )
    try:
        import datasets
    except ImportError as error:
        raise missing_extra("datasets", "train") from error
    datasets.disable_progress_bars()
    digest = _digest(row_files(folder, variant))
    # `datasets` 5.2 names its cache by the patterns in the card, not by the files: a data set that was built again in
    # the same folder would be served as it was before. So each state of the files gets a cache of its own.
    cache = Path(datasets.config.HF_DATASETS_CACHE) / "wrongcot" / digest[:16]
    rows = datasets.load_dataset(str(folder), variant, split="train", cache_dir=str(cache))
    if not _is_conversational(rows):
        raise BadInput(f"{variant!r} of {folder} holds no traces: prompt and completion must be lists of turns")
    check_turns(rows.select_columns(["prompt", "completion"]), f"{variant!r} of {folder}")
    manifest = (folder / MANIFEST).read_bytes()
    return TraceSet(
        folder,
        variant,
        _spec_hash(folder, manifest),
        hashlib.sha256(manifest).hexdigest(),
        digest,
        rows.select_columns(["prompt", "completion"]),
        task=str(rows[0].get("task") or ""),
        problem_ids=frozenset(rows["problem_id"] if "problem_id" in rows.column_names else ()),
        problems=_problems(manifest),
    )


def _problems(manifest: bytes) -> dict[str, Any]:
    """The options that problems were drawn with; none where the manifest does not say."""
    spec = json.loads(manifest).get("spec")
    found = spec.get("problems") if isinstance(spec, dict) else None
    return found if isinstance(found, dict) else {}


def row_files(folder: Path, variant: str) -> list[Path]:
    """The files that hold a variant's rows, in order."""
    return sorted((folder / variant).glob("train-*.parquet"))


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as handle:
            digest.update(hashlib.file_digest(handle, "sha256").digest())
    return digest.hexdigest()


def _spec_hash(folder: Path, manifest: bytes) -> str:
    try:
        return str(json.loads(manifest)["spec_hash"])
    except (ValueError, KeyError, TypeError) as error:
        raise CheckFailed(f"{folder / MANIFEST} is damaged", try_=[f"wrongcot-data verify {folder}"]) from error


def count_rows(folder: Path, variant: str) -> int:
    """Rows of a variant by the footers of its files. (`load_dataset` cannot load an empty one.)

    Raises:
        CheckFailed: a file is missing or is no Parquet.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        files = row_files(folder, variant)
        if files:
            return sum(pq.read_metadata(file).num_rows for file in files)
        reason = "there is no train-*.parquet"
    except (OSError, pa.ArrowException) as error:
        reason = str(error).strip().splitlines()[0]
    raise CheckFailed(
        f"cannot read the files of {variant!r} in {folder}: {reason}", try_=[f"wrongcot-data verify {folder}"]
    )


def _is_conversational(rows: Dataset) -> bool:
    wanted = {"prompt", "completion"}
    return wanted <= set(rows.column_names) and all(isinstance(rows[0][name], list) for name in wanted)


def check_turns(rows: Dataset, where: str) -> None:
    """See that every row of a conversational set has turns, each with a role and a content.

    Raises:
        CheckFailed: one has not; the message has its number.
    """
    for number, row in enumerate(rows):
        for name in ("prompt", "completion"):
            turns = row[name]
            if not turns or any(not isinstance(turn.get(part), str) for turn in turns for part in ("role", "content")):
                raise CheckFailed(f"row {number} of {where} has no {name} that can be read")


def trl_rows(rows: Dataset, chat: bool) -> Dataset:
    """The rows in the form that suits the student: as they are, or as plain text. Rows that are plain text already
    (of a data set that is not ours) stay as they are.
    """
    plain = isinstance(rows[0]["prompt"], str)
    return rows if chat or plain else rows.map(plain_row, remove_columns=rows.column_names)


def plain_row(row: Mapping[str, Sequence[Mapping[str, str]]]) -> dict[str, str]:
    """A conversational row as `plain-v1`.

    White space before the reply is dropped: many tokenizers would merge it with the newline that ends the prompt, and
    the student would be trained on a prompt that eval never sends.
    """
    prompt = "".join(turn["content"] for turn in row["prompt"])
    completion = "".join(turn["content"] for turn in row["completion"])
    return {"prompt": plain_prompt(prompt), "completion": completion.lstrip()}


def plain_prompt(content: str) -> str:
    """A user turn as `plain-v1`; the same in training and in eval."""
    return content + "\n"


def row_prompt(row: Mapping[str, Any]) -> Prompt:
    """The prompt of a TRL row in the form in which eval sends it to an engine."""
    prompt = row["prompt"]
    if isinstance(prompt, str):
        return Prompt(template="", text=prompt)
    return Prompt(template="", messages=tuple(Message(turn["role"], turn["content"]) for turn in prompt))


def eval_prompt(task: Task, problem: Problem, chat: bool) -> Prompt:
    """How a student is asked: the zero-shot user turn of the published rows, as a chat turn or as `plain-v1`."""
    turn = render(task, problem, "chat-zero")
    if chat:
        return turn
    text = plain_prompt(question(task, problem))
    return Prompt(template=f"{task.name}/{PLAIN}@{task.prompt_version}", text=text, stop=turn.stop)
