"""The commands `sweep` and `card` as words on the command line."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
