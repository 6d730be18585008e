"""The commands `sweep` and `card` as words on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from tests.wrongcot_train.cells import MATRIX, fill, spec_of
from wrongcot_train.cli import main
from wrongcot_train.sweep.cells import cells_of
from wrongcot_train.sweep.chain import Sweep

HEAVY = ("torch", "transformers", "trl", "datasets", "peft", "pydantic", "scipy", "pyarrow", "numpy", "matplotlib")


@pytest.mark.parametrize("verb", ["sweep", "card"])
def test_help_imports_nothing_heavy(verb: str) -> None:
    code = (
        "import sys\nfrom wrongcot_train.cli import main\n"
        f"try:\n    main([{verb!r}, '--help'], prog_name='wrongcot-train')\n"
        f"except SystemExit:\n    print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert f"Usage: wrongcot-train {verb}" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_program_runs_as_a_module() -> None:
    words = [sys.executable, "-m", "wrongcot_train", "--version"]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    assert done.stdout.startswith("wrongcot-train, version")


@pytest.fixture
def sweep_file(tmp_path: Path) -> Path:
    """A sweep of students and data that are only names."""
    file = tmp_path / "sweep.yaml"
    file.write_text(yaml.safe_dump(MATRIX))
    return file


def run(file: Path, *words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["sweep", str(file), *words])
    return done.exit_code, done.stdout, done.stderr


def test_a_folder_with_something_else_is_left_alone(sweep_file: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "table.csv").write_text("years of work")
    for words in ([], ["--dry-run"], ["--report-only"]):
        code, _, told = run(sweep_file, "--out", str(tmp_path / "thesis"), *words)
        assert code == 2
        assert "holds" in told
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["table.csv"]
    code, _, told = run(sweep_file, "--out", str(tmp_path / "typo"), "--report-only")
    assert (code, "holds no sweep" in told, (tmp_path / "typo").exists()) == (2, True, False)


def test_status_and_report_need_neither_the_data_nor_the_students(sweep_file: Path, tmp_path: Path) -> None:
    sweep = Sweep(spec_of(), tmp_path / "out")
    for cell in cells_of(sweep.spec)[:3]:
        fill(sweep, cell, "+-" * 10)
    code, told, _ = run(sweep_file, "--out", str(sweep.out), "--status")
    assert code == 0
    assert told.splitlines()[-1] == f"5 cells in {sweep.out}: 3 done, 2 waiting"
    assert "small--wrong--seed2  waiting  (student waiting, eval-countdown waiting)" in told
    code, told, _ = run(sweep_file, "--out", str(sweep.out), "--report-only", "--json")
    assert code == 0
    assert json.loads(told)["states"] == {"done": 3, "waiting": 2}
    assert (sweep.out / "report.html").is_file()
    assert json.loads((sweep.out / "table.json").read_text())["rows"] == json.loads(told)["rows"]


def test_fault_in_the_file_is_one_line_and_exit_code_2(sweep_file: Path, tmp_path: Path) -> None:
    sweep_file.write_text("students: [smollm2-135m]\nsedes: [1]\n")
    code, told, error = run(sweep_file, "--out", str(tmp_path / "out"))
    assert (code, told) == (2, "")
    assert error.splitlines()[0].endswith("unknown sweep key 'sedes': did you mean seeds?")
    code, _, error = run(tmp_path / "nowhere.yaml", "--out", str(tmp_path / "out"))
    assert code == 2
    assert "docs/sweeps.md has an example" in error
