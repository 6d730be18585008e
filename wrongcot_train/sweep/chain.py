"""Runs the cells of a sweep one after another. A cell that fails is noted, and the next one begins."""

from __future__ import annotations

import contextlib
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput, WrongcotError
from wrongcot_data.spec import content_hash
from wrongcot_train.sweep.cells import CELLS, SETTINGS, STUDENT, Cell, Step, command, steps_of
from wrongcot_train.sweep.running import Ended, run
from wrongcot_train.sweep.spec import SweepSpec
from wrongcot_train.sweep.state import Folder, Inputs, State, cell_state, fingerprint, locked, step_state

REPLACED = "replaced"
CARD = "README.md"

REFUSALS = ("holds another run", "holds another eval")
"""What a command says that leaves alone what was made with other settings."""


@dataclass(slots=True)
class Sweep:
    """A sweep in a folder.

    Attributes:
        replace: whether what other settings made is moved aside, where it is in the way.
        say: takes a line for the person at the terminal.
    """

    spec: SweepSpec
    out: Path
    replace: bool = False
    say: Callable[[str], None] = print
    inputs: Inputs = field(default_factory=Inputs)

    def folder(self, cell: Cell) -> Folder:
        """Where a cell is kept."""
        return Folder(self.out / CELLS / cell.name)

    def states(self, cell: Cell) -> dict[str, State]:
        """Where each step of a cell is."""
        folder = self.folder(cell)
        return {step.name: step_state(cell, step, folder, self.inputs) for step in steps_of(self.spec, cell)}

    def state(self, cell: Cell) -> State:
        """Where a cell is."""
        return cell_state(self.states(cell))

    def is_done(self, cell: Cell) -> bool:
        """Whether nothing is left to do in a cell, the student's card among it."""
        return self.state(cell) == "done" and (not cell.trained or self.has_card(cell))

    def has_card(self, cell: Cell) -> bool:
        """Whether the student has a card, of all that it was scored on by now."""
        folder = self.folder(cell)
        told = folder.note().get(CARD, {})
        return told.get("of") == self.of_card(cell) and (folder.path / STUDENT / CARD).is_file()

    def of_card(self, cell: Cell) -> str:
        """The name of exactly what a card is of: a student and its evals that are done."""
        folder = self.folder(cell)
        done = [name for name, state in self.states(cell).items() if state == "done"]
        return content_hash([self.spec.benchmarks, *(folder.made(name) for name in done)])


def check_folder(out: Path, *, begun: bool = False) -> None:
    """Refuse a folder that holds something other than a sweep.

    Args:
        begun: whether a sweep must be there.

    Raises:
        BadInput: it does, it is a file, or no sweep is there.
    """
    if (out / CELLS).is_dir():
        return
    if begun:
        raise BadInput(f"{out} holds no sweep", try_=["the same without --report-only    (fills it)"])
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise BadInput(f"{out} holds something else, which is left alone", try_=["--out ANOTHER"])


def run_cells(sweep: Sweep, cells: Sequence[Cell]) -> None:
    """Fill all cells that are not done. Those in which another process works are left for the end, and waited for."""
    with _terminable():
        busy = [cell for number, cell in enumerate(cells, 1) if not _run_cell(sweep, cell, f"{number}/{len(cells)}")]
        for cell in busy:
            sweep.say(f"{cell.name}: another process works in it; waiting for that")
            _run_cell(sweep, cell, "again", wait=True)


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM, which is how schedulers end a job, ends the chain as Ctrl-C does."""

    def interrupt(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run_cell(sweep: Sweep, cell: Cell, number: str, *, wait: bool = False) -> bool:
    """Fill a cell; whether it could be had."""
    folder = sweep.folder(cell)
    if sweep.is_done(cell):
        sweep.say(f"[{number}] {cell.name}: done before")
        return True
    with locked(folder.path, wait=wait) as lock:
        if lock is None:
            return False
        sweep.say(f"[{number}] {cell.name}")
        for step in steps_of(sweep.spec, cell):
            if not _run_step(sweep, cell, step, lock) and step.name == STUDENT:
                return True  # there is nobody to ask
        if cell.trained:
            _write_card(sweep, cell, folder)
    return True


def _run_step(sweep: Sweep, cell: Cell, step: Step, lock: int) -> bool:
    """Whether a step is done, by now or before."""
    folder = sweep.folder(cell)
    state = step_state(cell, step, folder, sweep.inputs)
    if state == "done":
        return True
    _write_settings(sweep.spec, folder)
    sweep.say(f"  {step.name}: log in {folder.log(step.name)}")
    ended = _run_command(sweep, cell, step, lock)
    if sweep.replace and _refused(ended):
        _move_aside(sweep, cell, step)
        ended = _run_command(sweep, cell, step, lock)
    told: dict[str, Any] = {**fingerprint(cell, step, folder, sweep.inputs), "seconds": ended.seconds}
    if ended.error:
        sweep.say(f"  {step.name}: failed after {ended.seconds:.0f} s: {ended.error}")
        if _refused(ended):
            sweep.say(f"    --replace moves what is there to {sweep.out / REPLACED}")
            if state == "changed":  # what is there is whole, and stays noted as what it is
                return False
        told |= {"exit": ended.code, "error": ended.error, "tail": ended.tail}
    else:
        told |= {"made": folder.made(step.name)}
        sweep.say(f"  {step.name}: {ended.seconds:.0f} s")
    folder.keep(cell, step.name, told)
    return not ended.error


def _refused(ended: Ended) -> bool:
    return ended.code == BadInput.exit_code and any(text in ended.error for text in REFUSALS)


def _run_command(sweep: Sweep, cell: Cell, step: Step, lock: int) -> Ended:
    folder = sweep.folder(cell)
    place = folder.path / STUDENT
    begun = place.is_dir() and any(place.iterdir()) and not folder.result_file(STUDENT).is_file()
    words = command(sweep.spec, cell, step, folder.path, resume=begun and step.name == STUDENT)
    return run(words, folder.log(step.name), lock, sweep.say)


def _write_settings(spec: SweepSpec, folder: Folder) -> None:
    import yaml

    if spec.sft:
        text = yaml.safe_dump(spec.sft, sort_keys=False, allow_unicode=True)
        (folder.path / SETTINGS).write_text(text, encoding="utf-8")


def _move_aside(sweep: Sweep, cell: Cell, step: Step) -> None:
    """Out of the way, but not away."""
    target = sweep.out / REPLACED
    target.mkdir(exist_ok=True)
    name = f"{cell.name}--{step.name}"
    number = next(n for n in range(1, 10**6) if not (target / f"{name}-{n}").exists())
    shutil.move(sweep.folder(cell).path / step.name, target / f"{name}-{number}")
    sweep.say(f"  {step.name}: what was there is now {target / f'{name}-{number}'}")


def _write_card(sweep: Sweep, cell: Cell, folder: Folder) -> None:
    """The model card, whatever evals there are."""
    from wrongcot_train.card.write import write_card

    evals = [name for name, state in sweep.states(cell).items() if state == "done" and name != STUDENT]
    if sweep.has_card(cell):
        return
    try:
        places = [folder.path / name for name in evals]
        write_card(folder.path / STUDENT, places, benchmarks=sweep.spec.benchmarks)
    except WrongcotError as error:
        sweep.say(f"  card: {error.message}")
        folder.keep(cell, CARD, {"error": error.message})
        return
    folder.keep(cell, CARD, {"of": sweep.of_card(cell)})
