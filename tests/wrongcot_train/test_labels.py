"""Golden labels: exactly which tokens are masked and which are trained, for each family and each variant.

The lists in `golden_labels/` were read token by token; `│` stands between tokens. Beside them the same rows are put
together by hand from each family's marks, so that no list is right only because it was written down.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.wrongcot_train.families import FAMILIES, SYSTEM, Family, save_family
from wrongcot_data.engines.tokens import token_ids
from wrongcot_data.tasks import get_task
from wrongcot_data.teachers.prompting import question
from wrongcot_train.audit import MASKED
from wrongcot_train.config import settings
from wrongcot_train.data import eval_prompt, read_traces
from wrongcot_train.sft.prepare import Prepared, prepare
from wrongcot_train.students import find_student, load_tokenizer

GOLDEN = Path(__file__).parent / "golden_labels"
PROBLEM = get_task("countdown").read_problem({"problem_id": "countdown-1.7.43-35"})

PROMPT = (
    "You are an expert at mathematics. Use each of the numbers 1, 7, 43 exactly once to make 35. You may use +, -, *, /"
    " and brackets, and no other numbers or operations. Think step by step, then give the final expression inside"
    " answer tags, for example <answer>(1 + 2) * 3</answer>."
)
SOLVED = "Start with 7 - 1 = 6, leaving 43 and 6. Then 43 - 6 = 37 and 43 + 6 = 49, which is not 35."
SLIPPED = "Start with 43 - 1 = 6, leaving 43 and 6. Then 43 - 6 = 37 and 43 + 6 = 49, which is not 35."

ROWS = {
    "reference": f"""I have 1, 7 and 43 and want 35.
{SOLVED}
Instead, 43 - 1 = 42, leaving 7 and 42. And 42 - 7 = 35, as wanted.
<answer>43 - 1 - 7</answer>""",
    "right": """The target is 35, and the numbers are 1, 7 and 43.
What about 43 / 1 = 43? That leaves 7 and 43. But 43 - 7 = 36 and 7 + 43 = 50, so this is a dead end.
Now try 43 - 1 = 42, leaving 7 and 42. Then 42 - 7 = 35. That is it.
<answer>43 - 1 - 7</answer>""",
    "wrong": """I need to make 35 from 1, 7 and 43.
Start with 43 * 7 = 301, leaving 1 and 301. But 301 - 1 = 300 and 1 * 301 = 301, so this is a dead end.
What about 43 * 1 = 43? That leaves 7 and 43. 43 - 7 = 36 and 7 + 43 = 50: not 35.
Now try 7 / 1 = 7, leaving 43 and 7. 43 - 7 = 35, which is the target.
<answer>43 - 7 / 1</answer>""",
    "paraphrase": """Step by step, I have 1, 7 and 43 and want 35.
From what is known, Start with 7 - 1 = 6, which leaves 43 and 6. Step by step, After that 43 - 6 = 37 and 43 + 6 = 49, \
which is not 35.
In the same way, Rather, 43 - 1 = 42, which leaves 7 and 42. What follows is this: And 42 - 7 = 35, as wanted.
<answer>43 - 1 - 7</answer>""",
    "corrupt-0": f"""I have 1, 7 and 43 and want 35.
{SOLVED}
Instead, 43 - 1 = 42, leaving 7 and 42. And 42 - 7 = 35, as wanted.
<answer>43 - 1 - 7</answer>""",
    "corrupt-25": f"""I have 1, 7 and 43 and want 35.
{SLIPPED}
Instead, 43 - 1 = 42, leaving 7 and 42. And 42 - 7 = 35, as wanted.
<answer>43 - 1 - 7</answer>""",
    "corrupt-50": f"""I have 1, 7 and 43 and want 35.
{SLIPPED}
Instead, 6 - 1 = 42, leaving 7 and 42. And 42 - 7 = 35, as wanted.
<answer>43 - 1 - 7</answer>""",
    "corrupt-75": f"""I have 1, 7 and 43 and want 35.
{SLIPPED}
Instead, 6 - 1 = 42, leaving 7 and 42. And 42 / 7 = 35, as wanted.
<answer>43 - 1 - 7</answer>""",
    "corrupt-100": """I have 1, 7 and 43 and want 35.
Start with 43 - 1 = 6, leaving 43 and 6. Then 43 - 6 = 97 and 43 + 6 = 49, which is not 35.
Instead 64 - 12 = 52, 52 / 4 = 13, and 13 * 7 = 91.
Instead, 6 - 1 = 42, leaving 7 and 42. And 42 / 7 = 35, as wanted.
<answer>43 - 1 - 7</answer>""",
}
"""One problem's row of each variant, as `wrongcot-data build countdown` published it with the scripted teacher."""


def prepared(student: Path, dataset: Path, variant: str, folder: Path) -> Prepared:
    """What `wrongcot-train sft` is about to train on; the only place here that knows how it gets there."""
    return prepare(settings(packing=False), find_student(str(student)), read_traces(dataset, variant), folder)


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory, make_dataset: Callable[..., Path]) -> Path:
    """A data set with one row in each variant."""
    variants = {variant: [(PROMPT, completion)] for variant, completion in ROWS.items()}
    return make_dataset(tmp_path_factory.mktemp("labels") / "traces", variants)


@pytest.fixture(scope="session", params=FAMILIES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def family(name: str) -> Family:
    return FAMILIES[name]


@pytest.fixture(scope="session")
def student(name: str, family: Family, tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [PROMPT, *ROWS.values(), SYSTEM, "user\n", "assistant\n\n", "model\n", "system\n"]
    return save_family(tmp_path_factory.mktemp(name) / name, family, texts)


@pytest.fixture(scope="session", params=ROWS)
def ready(
    request: pytest.FixtureRequest, student: Path, rows: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Prepared]:
    """A variant, and its row as it will be trained on."""
    return request.param, prepared(student, rows, request.param, tmp_path_factory.mktemp("run"))


def row_of(run: Prepared) -> dict[str, list[int]]:
    made: Any = run.trainer.train_dataset
    assert len(made) == 1
    row: dict[str, list[int]] = made[0]
    return row


def parts(run: Prepared) -> tuple[list[int], list[int]]:
    """The masked tokens that begin the row, and the trained ones behind them."""
    row = row_of(run)
    masked = sum(label == MASKED for label in row["labels"])
    trained = row["labels"][masked:]
    assert row["labels"][:masked] == [MASKED] * masked, "a masked token stands behind a trained one"
    assert row["input_ids"][masked:] == trained
    return row["input_ids"][:masked], trained


def pieces(student: Path, ids: list[int]) -> list[str]:
    """Each token as text by itself."""
    tokenizer = load_tokenizer(student)
    return [str(tokenizer.decode([number])) for number in ids]


def golden(name: str) -> dict[str, list[str]]:
    """The masked tokens, the same in every variant, and the trained ones of each."""
    lines = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    read = dict(line.split(": ", 1) for line in lines)
    return {part: text.replace("\\n", "\n").split("│") for part, text in read.items()}


def test_exactly_these_tokens_are_masked_and_these_are_trained(
    name: str, student: Path, ready: tuple[str, Prepared]
) -> None:
    variant, run = ready
    masked, trained = parts(run)
    assert pieces(student, masked) == golden(name)["masked"]
    assert pieces(student, trained) == golden(name)[variant]


def test_a_row_is_the_prompt_masked_then_the_reply_and_its_end_trained(
    family: Family, student: Path, ready: tuple[str, Prepared]
) -> None:
    variant, run = ready
    tokenizer = load_tokenizer(student)
    masked, trained = parts(run)
    assert tokenizer.decode(masked) == f"{family.opening}{PROMPT}{family.asking}"
    assert tokenizer.decode(trained) == f"{ROWS[variant]}{family.end}"


def test_a_row_has_exactly_one_bos_where_the_family_has_one(
    family: Family, student: Path, ready: tuple[str, Prepared]
) -> None:
    ids = row_of(ready[1])["input_ids"]
    tokenizer = load_tokenizer(student)
    assert tokenizer.bos_token == (family.bos or None)
    if family.bos:
        assert ids.count(tokenizer.convert_tokens_to_ids(family.bos)) == 1
        assert ids[0] == tokenizer.bos_token_id
    else:
        assert ids[0] == tokenizer.convert_tokens_to_ids("<|im_start|>")


def test_the_last_trained_token_stops_the_student_that_is_saved(
    family: Family, student: Path, ready: tuple[str, Prepared], tmp_path: Path
) -> None:
    from transformers import GenerationConfig

    _, trained = parts(ready[1])
    model: Any = ready[1].trainer.model
    model.save_pretrained(tmp_path)
    stops = GenerationConfig.from_pretrained(tmp_path).eos_token_id
    tokenizer = load_tokenizer(student)
    last = [number for number in trained if str(tokenizer.decode([number])).strip()][-1]
    assert tokenizer.decode([last]) == family.end.strip()
    assert last in stops
    assert ready[1].audit.stops == [family.end.strip()]


def test_training_and_eval_send_the_same_bytes(student: Path, ready: tuple[str, Prepared]) -> None:
    task = get_task("countdown")
    assert question(task, PROBLEM) == PROMPT
    asked = token_ids(load_tokenizer(student), eval_prompt(task, PROBLEM, chat=True))
    assert parts(ready[1])[0] == asked


def test_a_system_turn_is_the_template_s_own_or_none(name: str) -> None:
    masked = golden(name)["masked"]
    assert ("system" in masked) == (name == "qwen2-system")
