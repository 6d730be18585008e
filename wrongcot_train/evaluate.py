"""Score a student: problems it was not trained on, its greedy replies, the task's own grader, an honest denominator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from wrongcot_data.engines import get_engine
from wrongcot_data.engines.base import Completion, Engine, EngineKind, Opening, Request, Sampling
from wrongcot_data.engines.tokens import token_ids
from wrongcot_data.errors import BadInput, unknown
from wrongcot_data.parallel import in_order
from wrongcot_data.pool.grading import verdict
from wrongcot_data.records import GRADES, Problem, Prompt
from wrongcot_data.spec import content_hash, derive_seed, parse_model
from wrongcot_data.tasks import get_task
from wrongcot_data.tasks.base import Task
from wrongcot_data.teachers.registry import Teacher
from wrongcot_train.data import eval_prompt
from wrongcot_train.outputs import versions, write_json
from wrongcot_train.replies import Reply, read_replies, reply_log
from wrongcot_train.statistics import wilson
from wrongcot_train.students import CHAT, find_student, get_student, load_tokenizer, prompt_form

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

REPLIES = "items.jsonl"
ITEMS = "items.parquet"
SCORE = "score.json"

COLUMNS = (
    *("problem_id", "prompt", "completion", "finish_reason", "grade", "reason", "answer", "sandbox", "correct"),
    *("n_prompt_tokens", "n_tokens", "error", "engine"),
)
"""Of the items, before the task's own; those that the pool of a data set has too mean and hold the same there."""

ANSWERED = frozenset({"correct", "wrong", "disputed"})
"""Grades of a reply that has an answer."""


DTYPES = frozenset({"float32", "bfloat16", "float16"})


@dataclass(frozen=True, slots=True)
class EvalSpec:
    """What is asked of whom.

    Attributes:
        model: registry name, Hub id or path.
        limit: items; the first ones of the split.
        problems: the task's own options.
        max_tokens: of a reply; None for what suits the task.
        engine_options: set on the engine; they change the speed only.
    """

    model: str
    task: str
    split: str = "test"
    limit: int = 200
    seed: int = 0
    problems: Mapping[str, Any] | None = None
    max_tokens: int | None = None
    engine: str = "transformers"
    engine_options: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Exam:
    """An eval with everything looked up and nothing loaded.

    Attributes:
        tokenizer: None for a model without weights.
        problems: by id, in the order of the items; `prompts` too.
        identity: everything that decides a reply but the problem.
    """

    spec: EvalSpec
    task: Task
    model: Teacher
    tokenizer: PreTrainedTokenizerBase | None
    kind: EngineKind
    options: BaseModel
    problems: Mapping[str, Problem]
    prompts: Mapping[str, Prompt]
    identity: Mapping[str, Any]

    @property
    def sampling(self) -> Sampling:
        """Greedy: the one reply that the student thinks best, with no luck in it."""
        return Sampling(temperature=0.0, top_p=1.0, max_tokens=self.identity["max_tokens"])


def default_folder(spec: EvalSpec) -> Path:
    """Where an eval is kept unless it is said: `evals/MODEL-TASK`."""
    return Path("evals") / f"{get_student(spec.model).name.replace('/', '--')}-{spec.task}"


def prepare(spec: EvalSpec) -> Exam:
    """Look up names, draw the items, write the prompts.

    Raises:
        BadInput: an unknown task, split, model or engine, an engine that the model cannot use, a limit below 1.
        Unavailable: the weights or the problems cannot be had, or the task cannot be graded here.
    """
    if spec.limit < 1 or (spec.max_tokens or 1) < 1:
        raise BadInput("--limit and --max-tokens must be at least 1")
    task = get_task(spec.task)
    if spec.split not in task.splits:
        raise unknown(f"split of {task.name}", spec.split, task.splits)
    model = get_student(spec.model)
    if model.engine and model.engine != spec.engine:
        raise BadInput(f"{spec.model} runs on the engine {model.engine!r} only", try_=[f"--engine {model.engine}"])
    kind = get_engine(spec.engine)
    options = parse_model(kind.options, spec.engine_options or {}, where=f"{spec.engine}.")
    if model.engine:  # without weights, so without a tokenizer: asked by chat turns
        tokenizer, revision = None, kind.revision(model, options)
    else:
        student = find_student(spec.model)
        tokenizer, revision = load_tokenizer(student.folder), student.revision
    chat = tokenizer is None or prompt_form(model, tokenizer) == CHAT
    task.check_grader()
    task_options = parse_model(task.options, spec.problems or {}, where="problems.")
    drawn = islice(task.problems(task_options, spec.split, spec.seed), spec.limit)
    problems = {problem.id: problem for problem in drawn}
    prompts = {name: eval_prompt(task, problem, chat) for name, problem in problems.items()}
    if not problems:
        raise BadInput(f"the split {spec.split!r} of {task.name} has no problems")
    identity = {
        "task": task.name,
        "split": spec.split,
        "seed": spec.seed,
        "options": task_options.model_dump(mode="json"),
        "revision": revision,
        "prompt_template": next(iter(prompts.values())).template,
        "engine": spec.engine,
        "temperature": 0.0,
        "max_tokens": task.max_tokens if spec.max_tokens is None else spec.max_tokens,
    }
    return Exam(spec, task, model, tokenizer, kind, options, problems, prompts, identity)


def first_prompt(exam: Exam) -> dict[str, Any]:
    """The first item as the model will see it: its text, and its tokens where the tokenizer is on this machine.

    Raises:
        BadInput: the chat template and the tokenizer give two BOS tokens.
    """
    prompt = next(iter(exam.prompts.values()))
    if exam.tokenizer is None:
        return {"text": prompt_text(prompt), "tokens": None}
    try:
        ids = token_ids(exam.tokenizer, prompt)
    except ValueError as error:
        raise BadInput(f"{exam.model.name}: {error}") from error
    return {"text": exam.tokenizer.decode(ids), "tokens": len(ids)}


def evaluate(exam: Exam, out: Path, progress: Callable[[int], None]) -> dict[str, Any]:
    """Ask what has not been asked yet, grade everything, write items and score.

    The same `out` again goes on where it was; one that holds another eval is refused. `progress` is told how many
    items have a reply.

    Returns:
        the score, as in `out/score.json`.

    Raises:
        BadInput: `out` holds something else.
        Unavailable: the engine cannot run here.
    """
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / REPLIES).is_file()):
        raise BadInput(f"{out} holds something else, which is left alone", try_=["--out ANOTHER"])
    started = time.monotonic()
    replies = read_replies(out / REPLIES, exam.identity)
    waiting = [name for name in exam.problems if name not in replies]
    reused = len(exam.problems) - len(waiting)
    if waiting:
        with reply_log(out / REPLIES, exam.identity, replies.values()) as log:
            for batch in ask(exam, waiting):
                log.add(batch)
                replies |= {reply.problem_id: reply for reply in batch}
                progress(sum(name in replies for name in exam.problems))
    items = list(in_order(lambda name: grade_item(exam, replies[name]), exam.problems))
    write_items(out / ITEMS, exam.task, items)
    score = {
        **score_items(items),
        "model": exam.model.name,
        **exam.identity,
        "top_p": exam.sampling.top_p,
        "engine": " + ".join(engines := sorted({replies[name].engine for name in exam.problems})),
        "dtype": " + ".join(sorted({dtype_of(engine) for engine in engines} - {""})),
        "sandbox": " + ".join(sorted({item["sandbox"] for item in items} - {""})),
        "items_sha256": content_hash([*exam.problems]),
        "grader_version": exam.task.grader_version,
        "items_reused": reused,
        "seconds": round(time.monotonic() - started, 1),
        "versions": versions(),
    }
    write_json(out / SCORE, score)
    return score


def dtype_of(engine: str) -> str:
    """The arithmetic that an engine's name tells, such as `float32`; empty where it tells none, as a server's."""
    return next((word for word in engine.split() if word in DTYPES), "")


def ask(exam: Exam, waiting: Sequence[str]) -> Iterable[list[Reply]]:
    """The replies of the student to these problems, as they come. A request that fails is a reply with an error."""
    opening = Opening(exam.model, exam.options, exam.sampling, exam.task, exam.problems)
    engine: Engine = exam.kind.open(opening)
    try:
        queue = iter(waiting)
        pending = 0
        while True:
            for name in islice(queue, engine.capacity - pending):
                seed = derive_seed("eval", exam.spec.seed, name)
                engine.submit(Request(name, name, exam.prompts[name], seed))
                pending += 1
            if not pending:
                return
            finished = engine.wait()
            pending -= len(finished)
            yield [_reply(completion, engine.name) for completion in finished]
    finally:
        engine.close()


def _reply(completion: Completion, engine: str) -> Reply:
    return Reply(
        problem_id=completion.key,
        completion=completion.text,
        finish_reason=completion.finish_reason,
        n_prompt_tokens=completion.n_prompt_tokens,
        n_tokens=completion.n_tokens,
        error=completion.error,
        engine=engine,
    )


def grade_item(exam: Exam, reply: Reply) -> dict[str, Any]:
    """One row of `items.parquet`."""
    problem = exam.problems[reply.problem_id]
    found = verdict(exam.task, problem, reply.completion, reply.finish_reason, reply.error)
    return {
        **asdict(reply),
        "prompt": prompt_text(exam.prompts[reply.problem_id]),
        "grade": found.grade,
        "reason": found.reason,
        "answer": found.answer,
        "sandbox": found.sandbox,
        "correct": found.grade == "correct",
        **{name: problem.data[name] for name in exam.task.columns},
    }


def prompt_text(prompt: Prompt) -> str:
    """What is asked, without the marks of a chat template."""
    return prompt.text or "\n\n".join(turn.content for turn in prompt.messages)


def write_items(path: Path, task: Task, items: Sequence[Mapping[str, Any]]) -> None:
    """One row an item, in the order of the items."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from wrongcot_data.publish.columns import SAMPLES, schema

    extra = {"prompt": pa.string(), "correct": pa.bool_()}
    shared = schema(task, SAMPLES)
    fields = [
        pa.field(name, extra[name]) if name in extra else shared.field(name) for name in (*COLUMNS, *task.columns)
    ]
    half_written = path.with_name(f".{path.name}")
    pq.write_table(pa.Table.from_pylist(list(items), schema=pa.schema(fields)), half_written)
    half_written.replace(path)


def score_items(items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Accuracies with their 95 % Wilson intervals, and how many items have each grade.

    `strict` is over all items: no answer is no right answer. `answered` is over the items that have an answer, which
    is how the paper's released code counts; a student that rarely finishes looks better by it than it is.
    """
    correct = sum(item["correct"] for item in items)
    answered = sum(item["grade"] in ANSWERED for item in items)
    counts = {grade: sum(item["grade"] == grade for item in items) for grade in GRADES}
    return {
        "strict": accuracy(correct, len(items)),
        "answered": accuracy(correct, answered),
        "grades": counts,
        "n": len(items),
        "tokens": sum(item["n_tokens"] for item in items),
    }


def accuracy(correct: int, n: int) -> dict[str, Any]:
    """A share with its interval; `value` is None where there is nothing to take a share of."""
    low, high = wilson(correct, n)
    return {"value": correct / n if n else None, "low": low, "high": high, "correct": correct, "n": n}
