"""Does a data set say the truth? Every hash and every grade is computed again from its files alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from wrongcot_data.errors import Unavailable, WrongcotError
from wrongcot_data.measure.report import REPORT, report_differences
from wrongcot_data.parallel import in_order
from wrongcot_data.pool.grading import verdict
from wrongcot_data.publish.columns import SAMPLES, problem_of, schema, text_of
from wrongcot_data.publish.dataset import MANIFEST, content_by_config, describe, rows_by_config
from wrongcot_data.publish.manifest import UNFIT, UNREADABLE, configs_of, read_manifest, read_rows
from wrongcot_data.publish.shares import shares
from wrongcot_data.publish.views import view_differences
from wrongcot_data.records import Grade, Step, Verdict, first_invalid_step
from wrongcot_data.spec import make_spec, spec_hash
from wrongcot_data.tasks import get_task
from wrongcot_data.tasks.base import Task
from wrongcot_data.teachers.prompting import question
from wrongcot_data.variants import CONFIGS, REGISTRY
from wrongcot_data.variants.matching import MIX
from wrongcot_data.variants.pooled import CORRUPT_SAMPLES, PARAPHRASE_SAMPLES, REPLIES
from wrongcot_data.verify import paraphrases, replies
from wrongcot_data.verify.composition import composition_differences
from wrongcot_data.verify.corrupt import reply_faults, row_faults, set_faults
from wrongcot_data.verify.parents import parent_faults, parents, source_faults, sources
from wrongcot_data.verify.pool import engine_faults, origin_faults, pool_faults, spec_faults
from wrongcot_data.verify.receipt import receipt_differences
from wrongcot_data.views import VIEWS

_WRITTEN = {paraphrases.PARAPHRASE: PARAPHRASE_SAMPLES, **{config: config for config in REPLIES}}
"""The configs whose rows the model of a stage wrote, each with the config of the replies."""

_Check = Callable[[Task, str, Mapping[str, Any]], Iterator[str]]


def differences(folder: Path) -> Iterator[str]:
    """Everything that is not as the data set says, one line each. None means it is true throughout.

    Raises:
        BadInput: there is no manifest to hold it against.
        Unavailable: this machine cannot grade for its task.
    """
    manifest = read_manifest(folder)
    yield from _files(folder, manifest)
    yield from _manifest(manifest)
    yield from _told("receipt", receipt_differences(folder, manifest))
    task = get_task(manifest["spec"]["task"])
    if manifest["grader_version"] != task.grader_version:
        yield f"graded by {manifest['grader_version']}; this version grades by {task.grader_version}"
    for config in manifest["rows"]:
        if config.startswith(MIX):
            continue  # its rows are other variants'
        if config not in (SAMPLES, *REPLIES, *CONFIGS, *VIEWS):
            yield f"{config}: not a variant"
            continue
        stage, role = replies.STAGES.get(_WRITTEN.get(config, ""), ("", ""))
        if stage and stage not in manifest:
            yield f"{config}: the manifest names no {role}"
            continue
        check = _view if config in VIEWS else _rows
        yield from _told(config, check(folder, task, config, manifest))
    yield from _told("spec", spec_faults(manifest, make_spec(manifest["spec"])))
    if SAMPLES in manifest["rows"]:
        yield from _told(SAMPLES, pool_faults(manifest, make_spec(manifest["spec"]), partial(read_rows, folder)))
        yield from _told(SAMPLES, engine_faults(manifest, partial(read_rows, folder)))
    if paraphrases.PARAPHRASE in manifest["rows"]:
        told = paraphrases.cut_faults(manifest, make_spec(manifest["spec"]), partial(read_rows, folder))
        yield from _told(paraphrases.PARAPHRASE, told)
    yield from _told("composition", composition_differences(folder, manifest))
    yield from _told("corrupt", _levels(folder, manifest))
    yield from _told(REPORT, report_differences(folder, manifest["rows"]))


def _told(what: str, found: Iterator[str]) -> Iterator[str]:
    """Differences, and a last one where files or rows are such that no more can be found.

    Raises:
        Unavailable: this machine cannot look for them.
    """
    try:
        yield from found
    except Unavailable:
        raise
    except WrongcotError as error:
        yield f"{what}: {error.message}"
    except (*UNREADABLE, *UNFIT) as error:
        yield f"{what}: cannot be read, or held against the rows ({error})"


def _levels(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    task, spec = get_task(manifest["spec"]["task"]), make_spec(manifest["spec"])
    teacher = manifest["corruption"]["teacher"]["name"] if "corruption" in manifest else ""
    yield from set_faults(task, spec, partial(read_rows, folder), teacher)
    for config, found in shares(folder, manifest["rows"]).items():
        told = manifest.get("corrupt", {}).get(config)
        if told != found:
            yield f"{config}: its rows have {found}, but the manifest says {told}"


def _files(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    named = {file["path"]: file for file in manifest["files"]}
    for path, told in named.items():
        if not (folder / path).is_file():
            yield f"{path}: missing"
            continue
        try:
            found = describe(folder, folder / path)
        except UNREADABLE as error:
            yield f"{path}: no Parquet ({error})"
            continue
        for what in ("bytes", "sha256", "rows"):
            if told.get(what) != found.get(what):
                yield f"{path}: {what} {found.get(what)}, but the manifest says {told.get(what)}"
                break
    for config in manifest["rows"]:
        for found_path in sorted((folder / config).glob("*.parquet")):
            if found_path.relative_to(folder).as_posix() not in named:
                yield f"{found_path.relative_to(folder).as_posix()}: not in the manifest"


def _manifest(manifest: Mapping[str, Any]) -> Iterator[str]:
    try:
        if spec_hash(make_spec(manifest["spec"])) != manifest["spec_hash"]:
            yield f"{MANIFEST}: spec_hash is not the hash of its spec"
    except WrongcotError as error:
        yield f"{MANIFEST}: its spec is not valid here: {error.message}"
    rows = rows_by_config(manifest["files"])
    if rows != manifest["rows"]:
        yield f"{MANIFEST}: rows {manifest['rows']}, but its files hold {rows}"
    content = content_by_config(manifest["files"])
    if content != manifest["content"]:
        yield f"{MANIFEST}: content {manifest['content']}, but its files make {content}"


def _rows(folder: Path, task: Task, config: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    expected = schema(task, config)
    for path in configs_of(folder).get(config, []):
        if path.is_file() and not pq.read_schema(path).equals(expected):
            yield f"{path.relative_to(folder).as_posix()}: columns or types are not those of this version"
            return
    check = _check_of(folder, config, manifest)
    written = config in (SAMPLES, *_WRITTEN) or _parent_variant(config, manifest) != "reference"

    def checked(row: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        try:
            origin = origin_faults(task, config, row, manifest, written=written)
            return row, [*check(task, config, row), *_source(row, manifest, config), *origin]
        except Unavailable:
            raise
        except WrongcotError as error:
            return row, [error.message]

    names: set[tuple[str, str]] = set()
    for number, (row, found) in enumerate(in_order(checked, read_rows(folder, config))):
        name = (row["problem_id"], row["sample_id"] if "sample_id" in row else text_of(row))
        if name in names:
            yield f"{config} row {number}: a second time the same"
        names.add(name)
        yield from (f"{config} row {number} ({row['problem_id']}): {difference}" for difference in found)


def _check_of(folder: Path, config: str, manifest: Mapping[str, Any]) -> _Check:
    """What looks at the rows of a config."""
    if config == SAMPLES:
        return _sample
    if config == "reference":
        return _trace
    of = _parent_variant(config, manifest)
    known = parents(of, manifest, partial(read_rows, folder))
    samples = {} if config in _WRITTEN else sources(of, partial(read_rows, folder))
    judges: dict[str, _Check] = {
        **dict.fromkeys(REPLIES, _reply),
        paraphrases.PARAPHRASE: partial(_paraphrase, manifest),
    }
    own = judges.get(config, _trace)

    def check(task: Task, config: str, row: Mapping[str, Any]) -> Iterator[str]:
        yield from own(task, config, row)
        text = row["parent_completion"] if config in _WRITTEN else None if row["level"] else text_of(row)
        yield from parent_faults(row, text, of, known, manifest)
        yield from source_faults(row, samples)

    return check


def _parent_variant(config: str, manifest: Mapping[str, Any]) -> str:
    """The variant of the traces that the rows of a config were made from: of those cut from the pool, their own."""
    if config in _WRITTEN:
        return str(manifest[replies.STAGES[_WRITTEN[config]][0]]["of"])
    return config if config in REGISTRY else str(manifest["spec"]["corrupt"]["base"])


def _view(folder: Path, _task: Task, config: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    for path in configs_of(folder).get(config, []):
        if path.is_file() and not pq.read_schema(path).equals(VIEWS[config].schema):  # type: ignore[index]
            yield f"{path.relative_to(folder).as_posix()}: columns or types are not those of this version"
            return
    variants = [name for name in manifest["rows"] if name in CONFIGS]
    yield from view_differences(folder, config, variants, manifest["receipt"]["views"].get(config, {}))


def _source(row: Mapping[str, Any], manifest: Mapping[str, Any], config: str) -> Iterator[str]:
    """Whether a row that a model wrote names the teacher and the settings of the manifest."""
    told = (
        replies.source_told(manifest, _WRITTEN[config])
        if config in _WRITTEN
        else {
            "teacher": manifest["teacher"]["name"],
            "teacher_revision": manifest["teacher"]["revision"],
            "prompt_template": manifest["prompt_template"],
            "sampling": json.dumps(manifest["sampling"], sort_keys=True),
        }
    )
    for name, value in told.items():
        if row.get("author", "model") == "model" and row[name] != value:
            yield f"{name} is {row[name]!r}, but the manifest says {value!r}"


def _sample(task: Task, _config: str, row: Mapping[str, Any]) -> Iterator[str]:
    problem = problem_of(task, row)
    found = verdict(task, problem, row["completion"], row["finish_reason"], row["error"])
    yield from replies.verdict_faults(row, found)
    if row["reference_answer"] != task.reference(problem).answer:
        yield "reference_answer is not the problem's"


def _reply(task: Task, config: str, row: Mapping[str, Any]) -> Iterator[str]:
    problem = problem_of(task, row)
    yield from (reply_faults if config == CORRUPT_SAMPLES else paraphrases.sample_faults)(task, problem, row)
    if row["reference_answer"] != task.reference(problem).answer:
        yield "reference_answer is not the problem's"


def _paraphrase(manifest: Mapping[str, Any], task: Task, config: str, row: Mapping[str, Any]) -> Iterator[str]:
    wanted = paraphrases.wanted_grade(manifest)
    found, _, faults = _judged(task, row)
    yield from (*faults, *_plain_row(row, config, found, wanted))
    yield from paraphrases.trace_faults(task, problem_of(task, row), row, text_of(row), wanted)


def _trace(task: Task, config: str, row: Mapping[str, Any]) -> Iterator[str]:
    found, steps, faults = _judged(task, row)
    yield from faults
    if config in REGISTRY:
        yield from _plain_row(row, config, found, REGISTRY[config].wanted or "correct")
    else:
        yield from row_faults(row, config, steps, found)
    yield from paraphrases.plain_faults(row)


def _judged(task: Task, row: Mapping[str, Any]) -> tuple[Verdict, tuple[Step, ...], list[str]]:
    """A row's verdict and steps as they are found now, and what of the row is not so whatever its config."""
    problem, text = problem_of(task, row), text_of(row)
    found, steps = verdict(task, problem, text, row["finish_reason"], ""), tuple(task.steps(problem, text))
    return found, steps, list(_trace_faults(task, row, found, steps))


def _trace_faults(task: Task, row: Mapping[str, Any], found: Verdict, steps: tuple[Step, ...]) -> Iterator[str]:
    problem = problem_of(task, row)
    for what in ("grade", "reason", "answer"):
        if getattr(found, what) != row[what]:
            yield f"{what} is {getattr(found, what)!r}, not {row[what]!r}"
    if row["prompt"] != [{"role": "user", "content": question(task, problem)}]:
        yield "prompt is not the problem's"
    if row["reference_answer"] != task.reference(problem).answer:
        yield "reference_answer is not the problem's"
    told = [(step["start"], step["end"], step["text"], step["verdict"], step["kind"]) for step in row["steps"]]
    if told != [(step.start, step.end, step.text, step.verdict, step.kind) for step in steps]:
        yield "steps are not those of the completion"
    if row["first_invalid_step"] != first_invalid_step(steps):
        yield f"first_invalid_step is {first_invalid_step(steps)}, not {row['first_invalid_step']}"


def _plain_row(row: Mapping[str, Any], config: str, found: Verdict, wanted: Grade) -> Iterator[str]:
    """Whether a row of a variant without levels has its grade, and nothing that only a corruption has."""
    if found.grade != wanted:
        yield f"graded {found.grade}, which has no place in {config}"
    if row["variant"] != config:
        yield f"variant is {row['variant']!r}"
    if row["level"] or not row["answer_kept"] or any(step["operator"] for step in row["steps"]):
        yield "it has the marks of a corruption"
