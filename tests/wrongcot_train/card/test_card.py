"""The model card of a student: what it tells, that the Hub's own readers take it, that no name breaks out of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from huggingface_hub import ModelCard, ModelCardData, metadata_load, parse_eval_result_entries
from hypothesis import given
from hypothesis import strategies as st

from tests.wrongcot_train.cells import curve_of, record_of, share, spec_of, write_eval
from wrongcot_data.errors import BadInput
from wrongcot_train.card.read import revision_of
from wrongcot_train.card.write import cell, code, overlap, write_card
from wrongcot_train.cli import main
from wrongcot_train.sweep.cells import cells_of
from wrongcot_train.texts import visible

CURVE = curve_of({0: 1, 2: 9})

REVISION = "740312add88f781978c0658806c59bc2815b9866"

Make = Callable[..., Path]


@pytest.fixture
def make_trained(tmp_path: Path) -> Make:
    """A student's folder by its record, with files that stand for its weights."""

    def make(**record: Any) -> Path:
        folder = tmp_path / "student"
        folder.mkdir(exist_ok=True)
        cell = cells_of(spec_of())[2]
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(b"weights")
        (folder / "sft.json").write_text(json.dumps(record_of(cell, [3.0, 2.0], **record)))
        return folder

    return make


@pytest.fixture
def make_score(tmp_path: Path) -> Make:
    """An eval of a student, as it is now."""

    def make(
        student: Path, name: str = "eval-countdown", marks: str = "+" * 5 + "-" * 13 + "..", **changes: Any
    ) -> Path:
        return write_eval(tmp_path / name, marks, **{"revision": revision_of(student), **changes})

    return make


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["card", *map(str, arguments)])


def text_of(student: Path) -> str:
    return (student / "README.md").read_text()


def test_card_tells_data_settings_scores_and_cost(make_trained: Make, make_score: Make) -> None:
    student = make_trained(
        curve=CURVE, preset="laptop", tokens=9000, tokens_trained=5000, device="cpu", dtype="float32"
    )
    (student / "curve.png").write_bytes(b"drawn by sft")
    done = run(student, "--eval", make_score(student), "--json")
    assert done.exit_code == 0, done.output
    text = text_of(student)
    for told in (
        *("# `smollm2-135m` trained on `wrong` traces", "`org/set@v1.2.0`", "c" * 40, "e" * 64, "d" * 64),
        *("25.0 % (5/20)", "27.8 % (5/18)", "5 correct, 13 wrong, 2 no_answer", "`countdown/chat-zero@1`"),
        *(
            "`countdown-1`",
            "| `learning_rate` | `1e-05` |",
            "preset `laptop`",
            "`5,000, 125 a second`",
            "| device | `cpu` |",
        ),
        *("| 2 | 28.1 % |", "![Strict score by step, with its interval](curve.png)", "Loss: 3.0000 at the first step"),
        *("ends in a wrong answer", "apache-2.0"),
    ):
        assert told in text, told
    assert re.search(r"25\.0 % \(5/20\) \| \[11\.\d, 46\.\d\]", text)
    assert json.loads(done.stdout)["plot"].endswith("curve.png")
    (student / "curve.png").unlink()
    assert json.loads(run(student, "--json").stdout)["plot"] == ""
    assert "curve.png" not in text_of(student)


def test_metadata_is_what_the_hub_reads(make_trained: Make, make_score: Make) -> None:
    student = make_trained()
    write_card(student, [make_score(student)])
    head = metadata_load(student / "README.md")
    assert head is not None
    assert (head["base_model"], head["base_model_relation"]) == ("HuggingFaceTB/SmolLM2-135M-Instruct", "finetune")
    assert (head["library_name"], head["license"], head["datasets"]) == ("transformers", "apache-2.0", ["org/set"])
    assert {"wrongcot", "sft", "trl", "countdown"} <= set(head["tags"])
    card = ModelCard(text_of(student))  # with its errors not ignored
    assert isinstance(card.data, ModelCardData)
    assert card.data.eval_results is not None
    values = {result.metric_name: result.metric_value for result in card.data.eval_results}
    assert values == {
        "strict accuracy, % of all items": 25.0,
        "answered accuracy, % of the items with an answer": 27.78,
    }
    strict = card.data.eval_results[0]
    assert strict.metric_args is not None
    assert (strict.metric_args["n"], strict.dataset_split, strict.dataset_type) == (20, "test", "wrongcot-countdown")
    assert card.data.model_name == "smollm2-135m-wrong"


def test_no_place_on_somebodys_disk_and_no_token_is_in_a_card(make_trained: Make) -> None:
    config = {"learning_rate": 1e-5, "seed": 1, "output_dir": "/home/ada/out", "hub_token": "hf_secret"}
    config |= {"model_name_or_path": "/home/ada/models/small", "save_steps": 7}
    origins = {"learning_rate": "/home/ada/run.yaml", "hub_token": "flag"}
    student = make_trained(config=config, origins=origins, dataset="/home/ada/data/countdown", dataset_commit="")
    write_card(student)
    text = text_of(student)
    assert "ada" not in text
    assert "secret" not in text
    assert "| `learning_rate` | `1e-05` | `run.yaml` |" in text
    assert "| data set | `countdown` |" in text


@pytest.mark.parametrize(
    ("changes", "head"),
    [
        ({"student": "gemma-2b"}, {"license": "gemma", "base_model": "google/gemma-2-2b"}),
        ({"student": "llama-8b"}, {"license": "llama3.1", "base_model": "meta-llama/Llama-3.1-8B"}),
        ({"student": "Org/Model"}, {"license": None, "base_model": "Org/Model"}),
        ({"student": "a-folder"}, {"license": None, "base_model": None}),
        ({"dataset": "data/set", "dataset_commit": ""}, {"datasets": None}),
    ],
)
def test_licence_base_and_data_set_are_said_where_they_are_known(
    changes: dict[str, str], head: dict[str, Any], make_trained: Make
) -> None:
    student = make_trained(**changes)
    write_card(student)
    read = metadata_load(student / "README.md") or {}
    assert {name: read.get(name) for name in head} == head
    ModelCard(text_of(student))
    assert "It was not scored yet" in text_of(student)


def test_scores_of_a_data_set_on_the_hub_are_listed_there(make_trained: Make, make_score: Make) -> None:
    student = make_trained()
    options = {"source": None, "revision": REVISION}
    done = run(student, "--eval", make_score(student, "eval-gsm8k", task="gsm8k", options=options))
    assert done.exit_code == 0, done.output
    (file,) = (student / ".eval_results").iterdir()
    assert file.name == "gsm8k.yaml"
    (entry,) = parse_eval_result_entries(yaml.safe_load(file.read_text()))
    assert (entry.dataset_id, entry.task_id, entry.value) == ("openai/gsm8k", "gsm8k", 25.0)
    assert entry.dataset_revision == REVISION
    assert entry.notes is not None
    assert entry.notes.startswith("strict, 20 items of test, 95 % interval 11.")
    assert "greedy, wrongcot grader countdown-1" in entry.notes


@pytest.mark.parametrize(
    ("task", "options"), [("countdown", {}), ("gsm8k", {"source": "mine.jsonl", "revision": REVISION})]
)
def test_items_of_no_data_set_on_the_hub_are_listed_only_under_a_name_that_somebody_gives(
    task: str, options: dict[str, str], make_trained: Make, make_score: Make
) -> None:
    student = make_trained()
    score = make_score(student, "eval-mine", task=task, options=options)
    plain = run(student, "--eval", score)
    assert "unlisted  mine: its items are from no data set on the Hub" in plain.stdout
    assert not (student / ".eval_results").exists()
    named = run(student, "--eval", score, "--benchmark", f"{task}=org/bench:all")
    assert named.exit_code == 0, named.output
    file = student / ".eval_results" / f"{task}.yaml"
    (entry,) = parse_eval_result_entries(yaml.safe_load(file.read_text()))
    assert (entry.dataset_id, entry.task_id, entry.dataset_revision) == ("org/bench", "all", None)
    (student / ".eval_results" / "mine.yaml").write_text("[]\n")
    run(student, "--eval", score)
    assert [path.name for path in (student / ".eval_results").iterdir()] == ["mine.yaml"]  # ours is gone, theirs is not


def test_two_evals_of_one_task_have_a_file_each(make_trained: Make, make_score: Make) -> None:
    student = make_trained()
    evals = [make_score(student, name, task="gsm8k", options={}) for name in ("eval-gsm8k", "eval-long")]
    write_card(student, evals)
    assert sorted(path.name for path in (student / ".eval_results").iterdir()) == ["gsm8k-long.yaml", "gsm8k.yaml"]
    ModelCard(text_of(student))


def test_the_card_changes_no_weights_and_the_same_records_give_the_same_bytes(
    make_trained: Make, make_score: Make
) -> None:
    student = make_trained(curve=CURVE)
    before = revision_of(student)
    score = make_score(student)
    write_card(student, [score])
    first = {path.name: path.read_bytes() for path in student.iterdir() if path.is_file()}
    write_card(student, [score])
    assert {path.name: path.read_bytes() for path in student.iterdir() if path.is_file()} == first
    assert revision_of(student) == before


def test_eval_of_other_weights_is_refused(make_trained: Make, make_score: Make) -> None:
    student = make_trained()
    score = make_score(student)
    (student / "model.safetensors").write_bytes(b"other weights")
    refused = run(student, "--eval", score)
    assert refused.exit_code == 2
    assert "scored other weights" in refused.stderr
    assert not (student / "README.md").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "nowhere holds no student that is finished"),
        (["STUDENT", "--eval", "nowhere"], "nowhere holds no eval that is finished"),
        (["STUDENT", "--benchmark", "countdown"], "--benchmark takes TASK=ORG/NAME:TASK_ID"),
        (["STUDENT", "--benchmark", "countdown=bench"], "'bench' names no benchmark for countdown"),
        (["STUDENT", "--benchmark", "countdwn=org/bench"], "unknown task 'countdwn': did you mean countdown?"),
    ],
)
def test_bad_use_is_one_line_and_exit_code_2(words: list[str], message: str, make_trained: Make) -> None:
    student = make_trained()
    refused = run(*[str(student) if word == "STUDENT" else word for word in words])
    assert refused.exit_code == 2
    assert message in refused.stderr.splitlines()[0]


def test_student_that_lacks_a_file_has_no_card(make_trained: Make) -> None:
    student = make_trained(files={"config.json": 2, "model.safetensors": 7})
    (student / "model.safetensors").unlink()
    refused = run(student)
    assert (refused.exit_code, (student / "README.md").exists()) == (1, False)
    assert "model.safetensors is gone" in refused.stderr


def test_readme_of_somebody_else_is_left_alone_unless_told(make_trained: Make) -> None:
    student = make_trained()
    (student / "README.md").write_text("# My notes\n")
    with pytest.raises(BadInput, match="is no card of ours"):
        write_card(student)
    assert text_of(student) == "# My notes\n"
    assert run(student, "--replace").exit_code == 0
    assert "trained on `wrong` traces" in text_of(student)
    write_card(student)


def test_several_replies_an_item_are_told_with_pass_and_majority(make_trained: Make, make_score: Make) -> None:
    student = make_trained()
    sampled = {"samples": 4, "temperature": 0.7, "pass_at": {"1": share(5, 20), "4": share(9, 20)}, "maj_at": None}
    write_card(student, [make_score(student, **sampled)])
    assert "| pass@4 | 45.0 % [" in text_of(student)
    assert "temperature 0.7, top_p 1.0, at most 64 tokens, 4 replies an item" in text_of(student)
    assert "maj@" not in text_of(student)


FOUND = {"checked": True, "by_id": 2, "by_text": 1, "by_ngram": 4, "items": ["a"], "without": {"strict": share(4, 18)}}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (None, "not looked for"),
        ({"checked": False, "not_checked": ["a|b is not here"]}, "not known: `a\\|b is not here`"),
        (FOUND | {"items": []}, "2 by their id, 1 by most of their words, 4 share some words in a row"),
    ],
)
def test_items_seen_in_training_are_told_and_never_guessed(found: Any, told: str) -> None:
    assert overlap(found) == told


def test_the_score_without_items_seen_in_training_is_told() -> None:
    assert overlap(FOUND).endswith("in a row; strict without them 22.2 % [9.0, 45.2]")


def rendered(markdown: str) -> str:
    """What CommonMark shows of one code span."""
    fence = re.match("`+", markdown)
    assert fence
    assert markdown.endswith(fence[0])
    inner = markdown[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall("`+", inner)  # it does not end early
    padded = inner.startswith(" ") and inner.endswith(" ") and inner.strip()
    return inner[1:-1] if padded else inner


MARKDOWN = st.text(st.sampled_from("`|\\ \n\tab<#-\x1b\x00é")) | st.text()


@given(MARKDOWN)
def test_any_text_is_shown_as_it_is_and_breaks_out_of_nothing(text: str) -> None:
    made = code(text)
    assert not set(made) & {"\n", "\r", "\x1b", "\x00"}
    words = " ".join(visible(text).split())
    assert made == "–" if not words else rendered(made) == words


GFM_CELL = re.compile(r"(?:\\[!-/:-@\[-`{-~]|[^|\r\n])+")
"""What GitHub's parser takes as one cell: an escaped mark, or anything but a bar."""


@given(MARKDOWN)
def test_any_text_stays_in_its_cell(text: str) -> None:
    made = f" {cell(text)} "
    found = GFM_CELL.match(made + "| next |")
    assert found is not None
    assert found[0] == made
    if "\\|" not in text:
        assert made.strip().replace("\\|", "|") == code(text)


ATTACK = "a`b``c | d\n\n# Heading <script>alert(1)</script>\n---\nlicense: mit\n---\n[x](javascript:1)"


def test_no_name_changes_the_metadata_or_the_structure_of_the_card(make_trained: Make, make_score: Make) -> None:
    plain = make_trained()
    write_card(plain)
    lines = [line for line in text_of(plain).splitlines() if line.startswith(("#", "---"))]
    changes = {"student": ATTACK, "variant": ATTACK, "dataset": ATTACK, "dataset_commit": "", "rows_sha256": ATTACK}
    student = make_trained(**changes, config={"learning_rate": ATTACK, "seed": 1}, versions={"torch": ATTACK})
    write_card(student)
    text = text_of(student)
    attacked = [line for line in text.splitlines() if line.startswith(("#", "---"))]
    assert [line.split()[0] for line in attacked] == [line.split()[0] for line in lines]
    head = metadata_load(student / "README.md") or {}
    assert "license" not in head
    assert "base_model" not in head
    assert "javascript:" not in outside_code(ModelCard(text).text)
    write_card(student, [make_score(student, "odd", engine=ATTACK, prompt_template=ATTACK, items_sha256=ATTACK)])
    again = ModelCard(text_of(student))
    assert again.data.model_name == " ".join(f"{ATTACK}-{ATTACK}".split())
    assert "<script" not in outside_code(again.text)
    assert "javascript:" not in outside_code(again.text)


def outside_code(markdown: str) -> str:
    """What is not inside of a code span."""
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", markdown)


def test_template_is_in_the_package() -> None:
    from importlib.resources import files

    assert (files("wrongcot_train") / "student_card.md.jinja").is_file()
    assert (files("wrongcot_train.page") / "assets" / "sweep.html.jinja").is_file()


@pytest.mark.real
def test_a_real_student_has_a_card_of_its_own_eval(
    chat_student: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    train = ["sft", "--student", chat_student, "--dataset", f"{dataset}:wrong", "--max-steps", "2", "--out", "student"]
    ask = ["eval", "--model", "student", "--task", "countdown", "--limit", "4", "--max-tokens", "8", "--out", "ev"]
    for words in (train, ask, ["card", "student", "--eval", "ev", "--benchmark", "countdown=org/countdown"]):
        done = runner.invoke(main, [str(word) for word in words])
        assert done.exit_code == 0, done.output
    card = ModelCard.load(tmp_path / "student" / "README.md")
    assert card.data.eval_results[0].metric_args["n"] == 4
    record = json.loads((tmp_path / "student" / "sft.json").read_text())
    assert record["rows_sha256"] in card.text
    assert (tmp_path / "student" / ".eval_results" / "countdown.yaml").is_file()
    # the student is what it was: the same eval finds it so
    again = runner.invoke(main, [str(word) for word in ask] + ["--json"])
    assert json.loads(again.stdout)["items_reused"] == 4
