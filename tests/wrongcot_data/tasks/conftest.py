"""Real rows, where the folder of shared data is beside the checkout, and small sources made here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """A file of the shared data; the test is skipped where it is not there."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.is_file():
            pytest.skip(f"no {path}: the shared data is not beside this checkout")
        return path

    return find


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows as JSON Lines; bytes go in as they are."""

    def write(*rows: dict[str, Any] | bytes, name: str = "source.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(b"".join(row if isinstance(row, bytes) else json.dumps(row).encode() + b"\n" for row in rows))
        return path

    return write
