"""What cannot work is said in one line with the next step, before any time is spent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from transformers.utils.import_utils import is_liger_kernel_available

from wrongcot_train.cli import main


def sft(student: Path, dataset: Path, *more: str | Path) -> Result:
    asked = ["sft", "--student", student, "--dataset", dataset, "--max-steps", "2", "--batch-size", "2"]
    return CliRunner().invoke(main, [str(one) for one in [*asked, "--grad-accum", "1", *more]])


def refused(done: Result, message: str, code: int = 2) -> None:
    assert (done.exit_code, done.stdout) == (code, ""), done.output
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--learning-rate", "inf"], "learning_rate"),
        (["--epochs", "inf"], "num_train_epochs"),
        (["--adam-beta2", "5"], "adam_beta2"),
        (["--seed", str(2**32)], "seed"),
        (["--max-steps", "0"], "max_steps 0 trains nothing"),
        (["--warmup-steps", "5"], "the warm-up takes all 2 steps"),
        (["--completion-only-loss", "false"], "completion_only_loss false trains the prompt"),
        (["--eval-strategy", "steps"], "eval_strategy needs a split"),
        (["--warmup-ratio", "0.1"], "'--warmup-ratio': it is called warmup_steps now"),
        (["--gradient-checkpointing-kwargs", "7"], "TRL refuses the settings"),
        (["--report-to", "bogus"], "bogus"),
        (["--lora", "--lora-target-modules", "nope"], "nope"),
        (["--assistant-only-loss", "--packing", "false"], "TRL refuses the settings"),
        (["--load-in-4bit"], "only an adapter on them"),
        (["--prompt-format", "chart"], "prompt_format"),
        (["--dataset-train-split", "test"], "has one split, train, and no test"),
        (
            ["--curve-items", "2", "--curve-task", "countdown", "--curve-max-tokens", "9999"],
            "leaves no room for its prompt",
        ),
        (["--model-init-kwargs", '{"foo": "bar"}'], "do not load"),
    ],
)
def test_setting_that_cannot_work_is_refused(
    flags: list[str], message: str, chat_student: Path, dataset: Path, tmp_path: Path
) -> None:
    refused(sft(chat_student, dataset, "--variant", "wrong", "--out", tmp_path / "out", *flags), message)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(is_liger_kernel_available(), reason="liger-kernel is installed")
def test_kernels_that_are_not_installed_are_missed_before_the_weights_are_loaded(
    chat_student: Path, dataset: Path, tmp_path: Path
) -> None:
    done = sft(chat_student, dataset, "--variant", "wrong", "--out", tmp_path / "out", "--use-liger-kernel")
    refused(done, "pip install liger-kernel", code=3)
    assert not (tmp_path / "out").exists()


def test_two_variants_at_once_are_refused(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    done = sft(chat_student, Path(f"{dataset}:wrong"), "--variant", "right", "--out", tmp_path / "out")
    refused(done, "--dataset says wrong and --variant says right")


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("eval_strategy: no", ""),
        ("adam_beta2: [0.9]", ""),
        ("adam_beta2: [0.9, 0.8]", "adam_beta2"),
        ("lr_scheduler_kwargs: {nope: 3}", "TRL refuses the settings"),
        ("accelerator_config: nosuch.json", "TRL refuses the settings"),
        ("dataset_config: 7", "unknown variant '7'"),
        ("torch_dtype: bfloat16", "it is called dtype now"),
        ("datasets: [{path: a}]", "mixes data sets"),
    ],
)
def test_config_file_says_what_is_wrong_with_it(
    yaml: str, message: str, chat_student: Path, dataset: Path, tmp_path: Path
) -> None:
    (tmp_path / "run.yaml").write_text(yaml)
    variant = [] if yaml.startswith("dataset_config") else ["--variant", "wrong"]
    done = sft(chat_student, dataset, *variant, "--config", tmp_path / "run.yaml", "--out", tmp_path / "out")
    if message:
        refused(done, message)
    else:
        assert done.exit_code == 0, done.output


def broken(make_student: Callable[..., Path], what: str) -> Path:
    student = make_student()
    if what == "weights":
        file = student / "model.safetensors"
        file.write_bytes(file.read_bytes()[:1000])
    elif what == "config":
        (student / "config.json").write_text("{")
    elif what == "kind":
        (student / "config.json").write_text(json.dumps({"model_type": "nosuch"}))
    elif what == "layers":
        config = json.loads((student / "config.json").read_text())
        config["num_hidden_layers"] += 1
        config.pop("layer_types", None)
        (student / "config.json").write_text(json.dumps(config))
    elif what == "tokenizer":
        (student / "tokenizer.json").write_text("{}")
    elif what == "template":
        (student / "chat_template.jinja").write_text("{% for %}")
    elif what == "vocabulary":
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(student)
        model.resize_token_embeddings(8)
        model.save_pretrained(student)
    return student


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("weights", "do not load"),
        ("config", "is not a valid JSON file"),
        ("kind", "has no config.json that loads"),
        ("layers", "weights that its config asks for"),
        ("tokenizer", "has no tokenizer that loads"),
        ("template", "chat template cannot write the rows"),
        ("vocabulary", "they do not belong together"),
    ],
)
def test_damaged_student_is_refused(
    what: str, message: str, make_student: Callable[..., Path], dataset: Path, tmp_path: Path
) -> None:
    student = broken(make_student, what)
    refused(sft(student, dataset, "--variant", "wrong", "--out", tmp_path / "out"), message)


@pytest.mark.parametrize("empty", ["", "  \n"])
def test_empty_reply_is_found_by_the_audit(
    empty: str, chat_student: Path, make_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    data = make_dataset(tmp_path / "data", {"wrong": [("Q", "An answer."), ("Q", empty)]})
    done = sft(chat_student, data, "--variant", "wrong", "--out", tmp_path / "out")
    refused(done, "1 of 2 rows have an empty reply (the first is row 1)", code=1)


@pytest.mark.parametrize("turns", [None, [], [{"role": "assistant", "content": None}]])
def test_row_without_turns_is_named(
    turns: object, chat_student: Path, make_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    data = make_dataset(tmp_path / "data", {"wrong": [("Q", "One."), ("Q", "Two.")]})
    file = next((data / "wrong").glob("*.parquet"))
    table = pq.read_table(file)
    rows = table.to_pylist()
    rows[1]["completion"] = turns
    pq.write_table(table.from_pylist(rows, schema=table.schema), file)
    done = sft(chat_student, data, "--variant", "wrong", "--out", tmp_path / "out")
    refused(done, "row 1 of 'wrong'", code=1)


def test_weights_that_are_no_numbers_after_the_last_step_are_not_saved(
    chat_student: Path, dataset: Path, tmp_path: Path
) -> None:
    """The loss of a step is of the weights before it."""
    flags = ["--learning-rate", "1e38", "--warmup-steps", "0", "--lr-scheduler-type", "constant", "--max-steps", "1"]
    done = sft(chat_student, dataset, "--variant", "wrong", "--out", tmp_path / "out", *flags)
    refused(done, "weights are no numbers after step 1", code=1)
    assert not (tmp_path / "out").exists()


def test_run_of_one_step_learns_something(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    """A warm-up of a tenth would be all of it, at a learning rate of nothing."""
    done = sft(chat_student, dataset, "--variant", "wrong", "--out", tmp_path / "out", "--max-steps", "1")
    assert done.exit_code == 0, done.output
    before, after = ((one / "model.safetensors").read_bytes() for one in (chat_student, tmp_path / "out"))
    assert before != after


def test_every_step_is_looked_at_however_seldom_it_is_logged(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    flags = ["--logging-steps", "50", "--json"]
    done = sft(chat_student, dataset, "--variant", "wrong", "--out", tmp_path / "out", *flags)
    record = json.loads(done.stdout)
    assert (len(record["losses"]), record["steps"]) == (2, 2)
    assert record["tokens"] > 0


def test_dry_run_looks_at_the_place_too(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("dear")
    refused(sft(chat_student, dataset, "--variant", "wrong", "--out", tmp_path, "--dry-run"), "holds something else")
