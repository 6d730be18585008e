from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wrongcot_train.cli import main
from wrongcot_train.cli.sft import sft as sft_command
from wrongcot_train.config import DEFAULTS, FULL_LEARNING_RATE, LORA_LEARNING_RATE, settings

HEAVY = ("torch", "transformers", "trl", "datasets", "peft", "pydantic", "scipy", "pyarrow", "numpy", "matplotlib")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("verb", [(), ("sft",), ("eval",), ("compare",)])
def test_help_imports_nothing_heavy(verb: tuple[str, ...]) -> None:
    code = (
        "import sys\nfrom wrongcot_train.cli import main\n"
        f"try:\n    main([*{verb!r}, '--help'], prog_name='wrongcot-train')\n"
        f"except SystemExit:\n    print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "Usage: wrongcot-train" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_states_the_defaults_of_the_config() -> None:
    defaults = {name: one.value for name, one in DEFAULTS.items()}
    for option in sft_command.params:
        stated = re.findall(r"\[default: ([\de.-]+)", getattr(option, "help", None) or "")
        if stated and option.name not in {"learning_rate", "curve_items"}:
            assert float(stated[0]) == defaults[str(option.name)], option.name
    assert settings()["learning_rate"] == FULL_LEARNING_RATE == 1e-5
    assert settings(use_peft=True)["learning_rate"] == LORA_LEARNING_RATE == 1e-4


def test_dry_run_shows_one_row_with_its_trained_tokens_marked(chat_student: Path, dataset: Path) -> None:
    done = run("sft", "--student", chat_student, "--dataset", dataset, "--variant", "wrong", "--dry-run")
    assert done.exit_code == 0, done.output
    assert "<|im_start|>assistant\n⟦1 + 2 = 3, 3 + 3 = 6. <answer>1 + 2 + 3</answer><|im_end|>\n⟧" in done.stdout
    assert "audit passed: 4 rows, 0 cut" in done.stdout


def test_json_is_one_object_and_nothing_else(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    asked = ["sft", "--student", chat_student, "--dataset", dataset, "--variant", "right", "--json"]
    plan = json.loads(run(*asked, "--dry-run").stdout)
    assert (plan["dry_run"], plan["audit"]["rows"], plan["steps"]) == (True, 2, 10)
    record = json.loads(run(*asked, "--max-steps", "1", "--out", tmp_path / "out").stdout)
    assert (record["out"], record["steps"]) == (str(tmp_path / "out"), 1)


def test_config_file_gives_way_to_flags(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("learning_rate: 0.5\nuse_peft: true\nseed: 3\n")
    asked = ["sft", "--student", chat_student, "--dataset", dataset, "--variant", "wrong", "--json", "--dry-run"]
    done = run(*asked, "--config", tmp_path / "run.yaml", "--learning-rate", "0.25", "--full")
    config = json.loads(done.stdout)["config"]
    assert (config["learning_rate"], config["use_peft"], config["seed"]) == (0.25, False, 3)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--variant", "rong"], "unknown variant 'rong': did you mean wrong?"),
        (["--student", "smolm2-135m"], "unknown student 'smolm2-135m': did you mean smollm2-135m?"),
        (["--student", "scripted"], "scripted has no weights to train"),
        (["--config", "CONFIG"], "unknown config key 'lerning_rate': did you mean learning_rate?"),
        (["--dataset", "nowhere"], "'nowhere' is neither a folder here nor a data set on the Hub"),
        (["--batch-size", "0"], "per_device_train_batch_size: "),
        (["--eos-token", "<end>"], "the tokenizer has no token '<end>'"),
    ],
)
def test_bad_use_is_one_line_and_exit_code_2(
    flags: list[str], message: str, chat_student: Path, dataset: Path, tmp_path: Path
) -> None:
    (tmp_path / "run.yaml").write_text("lerning_rate: 1.0e-5\n")
    flags = [flag.replace("CONFIG", str(tmp_path / "run.yaml")) for flag in flags]
    asked = ["--student", chat_student, "--dataset", dataset, "--variant", "wrong", "--out", tmp_path / "out"]
    done = run("sft", *asked, *flags)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"wrongcot-train: {message}")
    assert not (tmp_path / "out").exists()


def test_audit_that_fails_is_exit_code_1(chat_student: Path, dataset: Path) -> None:
    asked = ["sft", "--student", chat_student, "--dataset", dataset, "--variant", "wrong", "--dry-run"]
    done = run(*asked, "--max-length", "80")
    assert done.exit_code == 1
    assert "would lose their end" in done.stderr
    assert "  try:  --max-length" in done.stderr


def test_show_config_tells_each_value_and_its_origin_and_does_nothing(tmp_path: Path) -> None:
    shown = run("sft", "--preset", "laptop", "--seed", "7", "--adam-beta1", "0.8", "--out", tmp_path / "out", "--json")
    assert shown.exit_code == 2  # a student and a data set are needed to train
    done = run("sft", "--preset", "laptop", "--seed", "7", "--adam-beta1", "0.8", "--show-config", "--json")
    told = json.loads(done.stdout)
    assert told["seed"] == {"value": 7, "origin": "flag"}
    assert told["adam_beta1"] == {"value": 0.8, "origin": "flag"}
    assert told["lora_r"] == {"value": 16, "origin": "preset laptop"}
    assert told["num_train_epochs"]["origin"] == "preset laptop"
    assert told["max_length"] == {"value": None, "origin": "wrongcot default"}
    assert told["gradient_checkpointing"]["origin"] == "preset laptop"
    assert told["use_cpu"]["origin"] == "this machine"
    assert told["adam_beta2"] == {"value": 0.999, "origin": "TRL default"}
    assert not list(tmp_path.iterdir())


def test_presets_are_listed_and_shown_with_what_was_seen_and_guessed() -> None:
    assert run("presets").stdout.count("\n") == 3
    shown = run("presets", "paper-hub").stdout
    assert "# guessed: the name says" in shown
    assert json.loads(run("presets", "laptop", "--json").stdout)["settings"]["use_peft"] is True
    assert "did you mean paper-hub" in run("presets", "paper-hb").stderr
