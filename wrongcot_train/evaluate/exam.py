"""What an eval asks of whom, and everything that decides a reply: looked up, drawn and rendered, nothing loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from wrongcot_data.engines import get_engine
from wrongcot_data.engines.base import EngineKind, Sampling, SpreadingKind
from wrongcot_data.errors import BadInput, unknown
from wrongcot_data.records import Problem, Prompt
from wrongcot_data.spec import content_hash, parse_model
from wrongcot_data.tasks import get_task
from wrongcot_data.tasks.base import Task
from wrongcot_data.teachers.registry import Teacher
from wrongcot_train.evaluate.overlap import TrainedOn, trained_on
from wrongcot_train.evaluate.prompts import Form, check_shots, choose_form, own_prompt, prompt_ids, show_prompt
from wrongcot_train.students import (
    find_student,
    get_student,
    has_template,
    load_tokenizer,
    prompt_form,
    saved_dtype,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TEMPERATURE, TOP_P = 0.8, 0.95
"""Of several replies unless it is said: what Chen et al. 2021 (arXiv 2107.03374) found best for many, and what traces
are drawn with here."""


@dataclass(frozen=True, slots=True)
class EvalSpec:
    """What is asked of whom.

    Attributes:
        model: registry name, Hub id or path.
        limit: items; the first ones of the split.
        seed: decides the items where they are generated, and the draws where replies are drawn.
        problems: the task's own options.
        max_tokens: of a reply; None for what suits the task.
        engine_options: set on the engine; they change the speed only.
        samples: replies an item.
        temperature: None for greedy, or for `TEMPERATURE` where there are several replies.
        top_p: None for 1 where replies are greedy, else `TOP_P`.
        prompt: one of `PROMPTS`; None for the student's own form.
        shots: worked examples of a few-shot prompt; None for the model's own number.
        trained_on: data sets that the student has seen, beside those that its own record names.
        leave_out: ids of problems that are passed over; a curve leaves out those that are trained on.
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
    samples: int = 1
    temperature: float | None = None
    top_p: float | None = None
    prompt: str | None = None
    shots: int | None = None
    trained_on: Sequence[str] = ()
    leave_out: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Exam:
    """An eval with everything looked up and nothing loaded.

    Attributes:
        tokenizer: None where prompts become tokens elsewhere: a model without weights, or one that a server runs.
        problems: by id, in the order of the items; `prompts` too.
        saved_dtype: precision of the weights on this machine; empty where there are none.
        trained: where what the student was trained on is to be looked for.
        identity: everything that decides a reply but the problem and the number of the sample.
    """

    spec: EvalSpec
    task: Task
    model: Teacher
    tokenizer: PreTrainedTokenizerBase | None
    saved_dtype: str
    kind: EngineKind
    options: BaseModel
    sampling: Sampling
    form: Form
    problems: Mapping[str, Problem]
    prompts: Mapping[str, Prompt]
    trained: TrainedOn
    identity: Mapping[str, Any]


def default_folder(spec: EvalSpec) -> Path:
    """Where an eval is kept unless it is said: `evals/MODEL-TASK`."""
    return Path("evals") / f"{get_student(spec.model).name.replace('/', '--')}-{spec.task}"


def prepare(spec: EvalSpec) -> Exam:
    """Look up names, draw the items, write the prompts, and see that the first one begins with no second BOS.

    Raises:
        BadInput: an unknown task, split, model, prompt, engine or data set, an engine or prompt that the model cannot
            use, counts below 1, several greedy replies.
        Unavailable: the weights or the problems cannot be had, or the task cannot be graded here.
    """
    task = get_task(spec.task)
    sampling = choose_sampling(spec, task)
    if spec.split not in task.splits:
        raise unknown(f"split of {task.name}", spec.split, task.splits)
    model = get_student(spec.model)
    if model.engine and model.engine != spec.engine:
        raise BadInput(f"{spec.model} runs on the engine {model.engine!r} only", try_=[f"--engine {model.engine}"])
    kind = get_engine(spec.engine)
    options = parse_model(kind.options, spec.engine_options or {}, where=f"{spec.engine}.")
    found = _look_up(spec, model, kind, options)
    form = choose_form(spec.prompt or found.prompt, spec.shots, model, chat=found.chat)
    trained = trained_on(spec.model, spec.trained_on)
    task.check_grader()
    task_options = parse_model(task.options, spec.problems or {}, where="problems.")
    fresh = (one for one in task.problems(task_options, spec.split, spec.seed) if one.id not in spec.leave_out)
    problems = {problem.id: problem for problem in islice(fresh, spec.limit)}
    if not problems:
        left_out = ", all others are left out" if spec.leave_out else ""
        raise BadInput(f"the split {spec.split!r} of {task.name} has no problems{left_out}")
    first = next(iter(problems.values()))
    check_shots(form, task, first)
    prompts = {name: form.prompt(task, problem) for name, problem in problems.items()}
    if found.tokenizer is not None:
        prompt_ids(found.tokenizer, prompts[first.id], model)
    identity = {
        "task": task.name,
        "split": spec.split,
        "seed": spec.seed,
        "options": task_options.model_dump(mode="json"),
        "revision": found.revision,
        "prompt_template": prompts[first.id].template,
        "engine": spec.engine,
        "temperature": sampling.temperature,
        **({"top_p": sampling.top_p} if sampling.temperature else {}),  # it decides nothing of a greedy reply
        "max_tokens": sampling.max_tokens,
        **({"left_out": content_hash(sorted(spec.leave_out))} if spec.leave_out else {}),
    }
    return Exam(
        spec=spec,
        task=task,
        model=model,
        tokenizer=found.tokenizer,
        saved_dtype=found.dtype,
        kind=kind,
        options=options,
        sampling=sampling,
        form=form,
        problems=problems,
        prompts=prompts,
        trained=trained,
        identity=identity,
    )


def first_prompt(exam: Exam) -> dict[str, Any]:
    """The first item as the student will see it; see `show_prompt`."""
    return show_prompt(exam.form, next(iter(exam.prompts.values())), exam.tokenizer, exam.model)


def choose_sampling(spec: EvalSpec, task: Task) -> Sampling:
    """How replies are drawn: greedy for one an item unless it is said, `TEMPERATURE` and `TOP_P` for several.

    Raises:
        BadInput: counts below 1, values out of range, or several replies that would all be the same.
    """
    if min(spec.limit, spec.samples) < 1 or (spec.max_tokens is not None and spec.max_tokens < 1):
        raise BadInput("--limit, --samples and --max-tokens must be at least 1")
    several = spec.samples > 1
    temperature = spec.temperature if spec.temperature is not None else TEMPERATURE if several else 0.0
    if not 0 <= temperature <= 5:
        raise BadInput(f"--temperature must be from 0 to 5, not {temperature:g}")
    if several and not temperature:
        raise BadInput(
            f"at temperature 0 all {spec.samples} replies to an item are the same one, so they tell no more than one",
            try_=["--samples 1", f"--temperature {TEMPERATURE}"],
        )
    if spec.top_p is not None and not 0 < spec.top_p <= 1:
        raise BadInput(f"--top-p must be above 0 and at most 1, not {spec.top_p:g}")
    if not temperature and spec.top_p not in (None, 1.0):
        raise BadInput(
            "--top-p does nothing at temperature 0, where the likeliest token is taken",
            try_=[f"--temperature {TEMPERATURE}"],
        )
    top_p = spec.top_p if spec.top_p is not None else TOP_P if temperature else 1.0
    return Sampling(float(temperature), float(top_p), task.max_tokens if spec.max_tokens is None else spec.max_tokens)


@dataclass(frozen=True, slots=True)
class _Found:
    """What is known of a student here.

    Attributes:
        tokenizer: where prompts are tokenised here.
        revision: of the weights; `dtype`, what they were saved in.
        chat: whether there is a chat template.
        prompt: the name of the prompt that is the student's own.
    """

    tokenizer: PreTrainedTokenizerBase | None
    revision: str
    dtype: str
    chat: bool
    prompt: str


def _look_up(spec: EvalSpec, model: Teacher, kind: EngineKind, options: BaseModel) -> _Found:
    """Find the student.

    A model without weights and one that a server runs are taken to have a chat template: whoever serves it renders it.
    The tokenizer of a folder on this machine knows better.
    """
    runs = kind.runs(options) if isinstance(kind, SpreadingKind) else spec.engine
    if model.engine or runs == "server":
        served = Path(model.path) if model.path else None
        known = load_tokenizer(served) if served and served.is_dir() else None
        prompt = own_prompt(prompt_form(model, known))
        return _Found(None, kind.revision(model, options), "", has_template(known), prompt)
    student = find_student(spec.model)
    tokenizer = load_tokenizer(student.folder)
    prompt = own_prompt(prompt_form(model, tokenizer))
    return _Found(tokenizer, student.revision, saved_dtype(student.folder), has_template(tokenizer), prompt)
