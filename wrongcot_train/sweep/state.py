"""What of a sweep is done: read from what the commands wrote, and from a note that each cell keeps.

    DIR/cells/CELL/student/         by `sft`; finished where it has an `sft.json`
    DIR/cells/CELL/eval-NAME/       by `eval`; finished where it has a `score.json`
    DIR/cells/CELL/cell.json        what each of them was asked for, how it ended, which bytes it made
    DIR/cells/CELL/lock             held while a process works in the cell

There is no state but that of the cells, so that several machines can fill one folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from wrongcot_data.errors import WrongcotError
from wrongcot_data.spec import content_hash
from wrongcot_train.outputs import write_json
from wrongcot_train.sweep.cells import STUDENT, Cell, Step

NOTE = "cell.json"
LOCK = "lock"

SFT, SCORE = "sft.json", "score.json"
"""What `sft` and `eval` write last."""

State = Literal["done", "failed", "unfinished", "changed", "waiting"]
"""Of a step or cell: as asked; ended with an error; begun; done for another question; not begun."""


@dataclass(slots=True)
class Inputs:
    """Names of exactly the local files that a sweep reads, each looked up once; empty for what the Hub pins.

    What is not there has no name either: results are to be read where the data has been moved away.
    """

    _found: dict[tuple[str, str], str] = field(default_factory=dict)

    def of_data(self, reference: str) -> str:
        """Of the rows of a variant in a folder."""
        return self._look_up("data", reference)

    def of_model(self, model: str) -> str:
        """Of the weights in a folder or file."""
        return self._look_up("model", model)

    def _look_up(self, kind: str, name: str) -> str:
        if (kind, name) not in self._found:
            find = _rows_digest if kind == "data" else _weights_digest
            try:
                self._found[kind, name] = find(name)
            except (WrongcotError, OSError):
                self._found[kind, name] = ""
        return self._found[kind, name]


def _rows_digest(reference: str) -> str:
    from wrongcot_data.versions.dataset_ref import parse_ref
    from wrongcot_train.data import row_files

    ref = parse_ref(reference)
    if not ref.folder or ref.version:  # a version never changes
        return ""
    files = row_files(ref.folder, ref.config)
    return content_hash([_digest(file) for file in files]) if files else ""


def _weights_digest(model: str) -> str:
    from wrongcot_data.teachers.weights import find_weights
    from wrongcot_train.students import get_student

    path = get_student(model).path
    if not path:
        return ""
    return _digest(Path(path)) if Path(path).is_file() else find_weights(get_student(model)).revision


def _digest(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Folder:
    """A cell's folder, as it is on the disk."""

    path: Path

    def result_file(self, step: str) -> Path:
        """What a step writes last."""
        return self.path / step / (SFT if step == STUDENT else SCORE)

    def log(self, step: str) -> Path:
        """Everything that the commands of a step said."""
        return self.path / f"{step}.log"

    def result(self, step: str) -> dict[str, Any] | None:
        """What a step wrote last; None where it has not, or where it cannot be read."""
        return _read(self.result_file(step))

    def note(self) -> dict[str, Any]:
        """What is known of each step that was run, by its name."""
        steps = (_read(self.path / NOTE) or {}).get("steps")
        return steps if isinstance(steps, dict) else {}

    def keep(self, cell: Cell, step: str, told: Mapping[str, Any]) -> None:
        """Add to the note what became of a step."""
        about = {"cell": cell.name, "student": cell.model, "data": cell.reference, "seed": cell.seed}
        write_json(self.path / NOTE, {**about, "steps": {**self.note(), step: dict(told)}})

    def made(self, step: str) -> str:
        """The name of exactly the result that a step has; empty where it has none."""
        try:
            return _digest(self.result_file(step))
        except OSError:
            return ""


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def fingerprint(cell: Cell, step: Step, folder: Folder, inputs: Inputs) -> dict[str, str]:
    """What decides the result of a step: what is asked, of which student, on which files."""
    if step.plan is None:
        files = [inputs.of_model(cell.model), inputs.of_data(cell.reference)]
    else:
        files = [folder.made(STUDENT) if cell.trained else inputs.of_model(cell.model)]
    asked = {**step.asked, **({} if cell.trained else {"model": cell.model})}
    return {"asked": content_hash(asked), "files": " ".join(files).strip()}


def step_state(cell: Cell, step: Step, folder: Folder, inputs: Inputs) -> State:
    """Where a step is."""
    told = folder.note().get(step.name)
    made = folder.made(step.name)
    if told is None:  # it never ended, or it did and the sweep was killed before it could note that
        place = folder.path / step.name
        return "unfinished" if place.is_dir() and any(place.iterdir()) else "waiting"
    now = fingerprint(cell, step, folder, inputs)
    same_files = not (now["files"] and told.get("files")) or now["files"] == told["files"]
    if told.get("asked") != now["asked"] or not same_files:
        return "changed" if made else "waiting"
    if told.get("error"):
        return "failed"
    return "done" if made and made == told.get("made") else "unfinished"


def cell_state(states: Mapping[str, State]) -> State:
    """Where a cell is, by its steps: the worst that is true of one of them."""
    order: tuple[State, ...] = ("failed", "changed", "unfinished")
    found = set(states.values())
    worst = next((state for state in order if state in found), None)
    if worst:
        return worst
    return "done" if found == {"done"} else "unfinished" if "done" in found else "waiting"


@contextlib.contextmanager
def locked(folder: Path, *, wait: bool) -> Iterator[int | None]:
    """Hold a cell against other processes. Gives the lock's descriptor, or None where somebody else has it.

    The descriptor is for the commands that are started: a lock that a child has too outlives a parent that is killed,
    and so nobody begins a training run that still goes on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield None
            return
        yield handle.fileno()


def is_locked(folder: Path) -> bool:
    """Whether a process works in a cell now."""
    if not (folder / LOCK).is_file():
        return False
    with locked(folder, wait=False) as lock:
        return lock is None
