"""Items that a student was trained on: found by the problem's id and by its words, or said to be unchecked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.hub import Hub
from wrongcot_data.cli import main as data
from wrongcot_data.errors import BadInput, CheckFailed
from wrongcot_data.tasks import get_task
from wrongcot_train.cli import main
from wrongcot_train.evaluate import EvalSpec, prepare
from wrongcot_train.evaluate.overlap import WORDS, own_text, word_runs

QUESTIONS = {
    "bakery": "A bakery makes 12 trays of rolls with 15 rolls on each tray and sells 140 rolls. How many are left?",
    "bicycle": "Omar rents a red bicycle for 3 days at $8 a day. How many dollars does he pay for it in all?",
    "tank": "A tank holds 240 litres and is 35% full. How many litres of water are there in the tank now?",
    "age": "Lena is twice as old as her small cousin, and he is nine years old. How old is Lena today?",
    "phrase": "Ravi has nine marbles. How many dollars does he pay for it in all, were each worth a dime?",
    "short": "What is 7 times 8?",
}


def run(program: Any, *arguments: str | Path) -> Result:
    done = CliRunner().invoke(program, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output
    return done


def gsm8k(path: Path, rows: Sequence[tuple[str, int]]) -> Path:
    """A file of GSM8K rows: the question by its name here or written out, and the answer."""
    lines = [
        json.dumps({"question": QUESTIONS.get(name, name), "answer": f"So it is so.\n#### {answer}"})
        for name, answer in rows
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def trained_on(tmp_path: Path) -> Callable[..., Path]:
    """A data set of these GSM8K rows, as the build writes it."""

    def make(name: str, *rows: tuple[str, int]) -> Path:
        source = gsm8k(tmp_path / f"{name}.jsonl", rows)
        out = tmp_path / name
        run(data, "build", "gsm8k", "--source", source, "--variant", "reference", "--limit", len(rows), "--out", out)
        return out

    return make


def scored(tmp_path: Path, items: Sequence[tuple[str, int]], *datasets: Path | str) -> dict[str, Any]:
    """The score of the scripted student on these items, said to be trained on these data sets."""
    source = gsm8k(tmp_path / "test.jsonl", items)
    asked = ["eval", "--model", "scripted", "--engine", "scripted", "--task", "gsm8k", "--source", source]
    named = [word for one in datasets for word in ("--trained-on", one)]
    rates = [f"--engine-option={name}={value}" for name, value in {"failure": 0, "right": 0.39}.items()]
    found: dict[str, Any] = json.loads(run(main, *asked, *named, *rates, "--out", tmp_path / "eval", "--json").stdout)
    return found


def ids(*rows: tuple[str, int]) -> set[str]:
    task = get_task("gsm8k")
    return {task.read_problem({"question": QUESTIONS[name], "reference_answer": str(n)}).id for name, n in rows}


def test_items_are_found_by_the_id_of_the_problem(tmp_path: Path, trained_on: Callable[..., Path]) -> None:
    both = [("bakery", 40), ("tank", 84)]
    found = scored(tmp_path, [*both, ("age", 18)], trained_on("set", *both, ("bicycle", 24)))["overlap"]
    assert (found["checked"], found["by_id"], found["by_text"]) == (True, 2, 2)
    assert set(found["items"]) == ids(*both)
    assert found["datasets"][0]["rows"] == 3


def test_a_copy_under_another_id_is_found_by_its_words(tmp_path: Path, trained_on: Callable[..., Path]) -> None:
    loud = QUESTIONS["tank"].upper().replace("35%", "35 %")
    found = scored(tmp_path, [("tank", 84), ("age", 18)], trained_on("set", (loud, 85), ("bicycle", 24)))["overlap"]
    assert (found["by_id"], found["by_text"], found["by_ngram"]) == (0, 1, 1)
    assert set(found["items"]) == ids(("tank", 84))
    assert list(found["shared"].values()) == [1.0]


def test_a_shared_phrase_is_counted_and_no_copy(tmp_path: Path, trained_on: Callable[..., Path]) -> None:
    found = scored(tmp_path, [("phrase", 9), ("age", 18)], trained_on("set", ("bicycle", 24)))["overlap"]
    assert (found["by_id"], found["by_text"], found["by_ngram"], found["items"]) == (0, 0, 1, [])
    (share,) = found["shared"].values()
    assert share == 3 / 12  # of 19 words in 12 runs the ten from `How` to `all` make three
    assert found["without"] is None
    assert found["without_ngram"]["n"] == 1


def test_the_words_that_all_prompts_of_a_task_share_are_no_overlap(
    tmp_path: Path, trained_on: Callable[..., Path]
) -> None:
    found = scored(tmp_path, [("age", 18), ("tank", 84)], trained_on("set", ("bakery", 40)))["overlap"]
    assert (found["by_ngram"], found["shared"]) == (0, {})


def test_a_short_text_is_found_as_a_whole_only(tmp_path: Path, trained_on: Callable[..., Path]) -> None:
    longer = f"{QUESTIONS['short']} Think of it as of eight rows of seven."
    assert scored(tmp_path, [("short", 56)], trained_on("longer", (longer, 56)))["overlap"]["by_ngram"] == 0
    assert scored(tmp_path, [("short", 56)], trained_on("same", (QUESTIONS["short"], 57)))["overlap"]["by_text"] == 1


def test_accuracy_is_told_without_what_was_trained_on(tmp_path: Path, trained_on: Callable[..., Path]) -> None:
    items = [(name, number) for number, name in enumerate(QUESTIONS)]
    told = scored(tmp_path, items, trained_on("set", *items[:2]))
    without = told["overlap"]["without"]
    import pyarrow.parquet as pq

    rows = pq.read_table(tmp_path / "eval" / "items.parquet").to_pylist()
    rest = [row["correct"] for row in rows if row["problem_id"] not in told["overlap"]["items"]]
    assert (without["n"], without["strict"]["n"], without["strict"]["correct"]) == (4, 4, sum(rest))


def test_data_sets_may_be_several_and_name_a_variant(tmp_path: Path, trained_on: Callable[..., Path]) -> None:
    one, other = trained_on("one", ("bakery", 40)), trained_on("other", ("age", 18), ("tank", 84))
    told = scored(tmp_path, [("bakery", 40), ("age", 18)], one, f"{other}:reference")["overlap"]
    assert [dataset["configs"] for dataset in told["datasets"]][1] == ["reference"]
    assert told["by_id"] == 2


def test_rows_of_others_are_compared_by_what_their_prompt_says(
    make_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    rows = [(f"Solve this.\n\n{QUESTIONS['tank']}", "It is 84.")]
    found = scored(tmp_path, [("tank", 84), ("age", 18)], make_dataset(tmp_path / "theirs", {"wrong": rows}))["overlap"]
    assert (found["by_id"], found["by_text"]) == (0, 1)


def test_puzzles_are_compared_by_their_numbers_and_not_by_the_words_around_them() -> None:
    task = get_task("countdown")
    assert own_text(task, task.read_problem({"nums": [1, 2, 3], "target": 9})) == ""


def test_runs_of_words_know_no_case_and_no_punctuation() -> None:
    assert word_runs("") == word_runs("...") == frozenset()
    assert word_runs("Ann's 3 APPLES") == {("ann", "s", "3", "apples")}
    assert len(word_runs(" ".join("abcdefghijk"))) == 11 - WORDS + 1


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of six Countdown puzzles, for students that are asked the very same ones."""
    out = tmp_path_factory.mktemp("leaky") / "traces"
    rates = ["--engine-option", "right=0.5", "--engine-option", "wrong=0.5", "--max-attempts", "40"]
    rest = [f"--engine-option={name}=0" for name in ("truncated", "malformed", "failure")]
    asked = ["build", "countdown", "--teacher", "scripted", "--limit", "6", "--variant", "wrong"]
    run(data, *asked, *rates, *rest, "--out", out, "--journal", out.parent / "journal.sqlite")
    return out


@pytest.fixture
def trained(leaky: Path, chat_student: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A student that was trained on six puzzles, and the data set."""
    dataset, out = shutil.copytree(leaky, tmp_path / "traces"), tmp_path / "student"
    asked = ["--student", chat_student, "--dataset", dataset, "--variant", "wrong", "--max-steps", "1", "--out", out]
    run(main, "sft", *asked)
    return out, dataset


def asked_of(student: Path, out: Path) -> list[str | Path]:
    return [
        "eval",
        "--model",
        student,
        "--task",
        "countdown",
        "--split",
        "train",
        "--limit",
        "8",
        "--max-tokens",
        "4",
        "--out",
        out,
    ]


def test_what_a_student_was_trained_on_is_known_from_its_record(trained: tuple[Path, Path], tmp_path: Path) -> None:
    student, dataset = trained
    found = json.loads(run(main, *asked_of(student, tmp_path / "eval"), "--json").stdout)["overlap"]
    assert (found["checked"], found["by_id"], len(found["items"]), found["not_checked"]) == (True, 6, 6, [])
    assert found["datasets"] == [
        {"name": str(dataset), "commit": "", "configs": ["wrong"], "rows": 6, "changed": False}
    ]
    text = run(main, *asked_of(student, tmp_path / "eval")).stdout
    assert "overlap   6 of 8 items were trained on: 6 by their id" in text
    assert "without them: strict 0.0%" in text


def test_a_data_set_that_is_gone_or_another_one_now_is_said(trained: tuple[Path, Path], tmp_path: Path) -> None:
    student, dataset = trained
    manifest = dataset / "wrongcot.json"
    manifest.write_text(manifest.read_text() + "\n")
    text = run(main, *asked_of(student, tmp_path / "eval")).stdout
    assert f"{dataset} holds something else now than when the student was trained" in text
    assert "6 of 8 items were trained on" in text
    shutil.rmtree(dataset)
    told = json.loads(run(main, *asked_of(student, tmp_path / "eval"), "--json").stdout)["overlap"]
    assert (told["checked"], told["not_checked"]) == (False, [f"its data set {dataset} is not here"])
    text = run(main, *asked_of(student, tmp_path / "eval")).stdout
    assert f"overlap   not checked: its data set {dataset} is not here  (--trained-on DATASET says it)" in text


def test_a_record_that_cannot_be_read_is_said(trained: tuple[Path, Path]) -> None:
    student, _ = trained
    (student / "sft.json").write_text("{")
    assert "cannot be read" in prepare(EvalSpec(str(student), "countdown", limit=1)).trained.not_checked[0]


def test_a_data_set_on_the_hub_is_looked_for_at_the_commit_of_the_record(
    trained: tuple[Path, Path], hub: Hub, tmp_path: Path
) -> None:
    student, dataset = trained
    pushed = json.loads(run(data, "push", dataset, "--repo", "tester/traces", "--version", "1.0.0", "--json").stdout)
    shutil.rmtree(dataset)
    record = json.loads((student / "sft.json").read_text())
    record |= {"dataset": "tester/traces@v1.0.0", "dataset_commit": pushed["commit"]}
    (student / "sft.json").write_text(json.dumps(record))
    found = json.loads(run(main, *asked_of(student, tmp_path / "eval"), "--json").stdout)["overlap"]
    assert (found["by_id"], found["datasets"][0]["commit"]) == (6, pushed["commit"])
    record |= {"dataset_commit": "0" * 40}
    (student / "sft.json").write_text(json.dumps(record))
    assert prepare(EvalSpec(str(student), "countdown", limit=1)).trained.not_checked


def test_what_nobody_says_is_not_checked(tmp_path: Path) -> None:
    found = scored(tmp_path, [("tank", 84)])["overlap"]
    assert (found["checked"], found["not_checked"]) == (False, ["no record says what scripted was trained on"])


def test_a_data_set_that_was_named_must_be_there(tmp_path: Path, trained_on: Callable[..., Path]) -> None:
    made = trained_on("set", ("age", 18))

    def named(text: str) -> EvalSpec:
        return EvalSpec("scripted", "countdown", engine="scripted", limit=1, trained_on=[text])

    with pytest.raises(BadInput, match="unknown variant 'referense': did you mean reference"):
        prepare(named(f"{made}:referense"))
    with pytest.raises(BadInput, match="neither a folder here nor a data set"):
        prepare(named("no-such-folder"))
    (made / "reference" / "train-00000-of-00001.parquet").write_bytes(b"no parquet")
    with pytest.raises(CheckFailed, match="cannot read the files"):
        prepare(named(str(made)))
