"""A student whose weights mean nothing is refused, not scored."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from wrongcot_train.cli import main


def broken(student: Path, what: str) -> Path:
    if what == "numbers":
        weights = load_file(student / "model.safetensors")
        weights["model.norm.weight"][0] = float("nan")
        save_file(weights, student / "model.safetensors", metadata={"format": "pt"})
    elif what == "layer":
        config = json.loads((student / "config.json").read_text())
        config["num_hidden_layers"] += 1
        config.pop("layer_types", None)
        (student / "config.json").write_text(json.dumps(config))
    else:
        (student / "chat_template.jinja").write_text("{% for %}")
    return student


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("numbers", "weights that are no numbers"),
        ("layer", "lacks weights that its config asks for"),
        ("template", "Expected an expression"),
    ],
)
def test_student_that_means_nothing_is_refused(
    what: str, message: str, make_student: Callable[..., Path], tmp_path: Path
) -> None:
    student = broken(make_student(), what)
    asked = ["eval", "--model", student, "--task", "countdown", "--limit", "2", "--max-tokens", "4"]
    done = CliRunner().invoke(main, [str(one) for one in [*asked, "--out", tmp_path / "eval"]])
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert message in done.stderr
