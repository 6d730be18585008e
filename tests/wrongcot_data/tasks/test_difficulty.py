"""Problems of like difficulty share a name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wrongcot_data.tasks import get_task

ROWS: dict[str, list[tuple[dict[str, Any], str]]] = {
    "countdown": [({"nums": [1, 2, 3], "target": 6}, "3 numbers"), ({"nums": [1, 2, 3, 4], "target": 10}, "4 numbers")],
    "gsm8k": [
        ({"question": "?", "answer": "So 2.\n#### 2"}, "1 to 2 lines"),
        ({"question": "?", "answer": "1 + 1 = 2\n2 + 2 = 4\n4 + 4 = 8\n8 + 1 = 9\n#### 9"}, "5 lines and more"),
    ],
    "math": [
        (
            {"problem": "?", "level": "Level 3", "type": "Algebra", "solution": r"It is $\boxed{2}$."},
            "Level 3",
        )
    ],
}


@pytest.mark.parametrize(("name", "row", "group"), [(name, *one) for name, rows in ROWS.items() for one in rows])
def test_the_name_tells_what_is_known(name: str, row: dict[str, Any], group: str, tmp_path: Path):
    task = get_task(name)
    if name == "countdown":
        assert task.difficulty(task.read_problem(row)) == group
        return
    source = tmp_path / "rows.jsonl"
    source.write_text(json.dumps(row) + "\n")
    (problem,) = task.problems(task.options(source=str(source)), "train", 0)
    assert task.difficulty(problem) == group
