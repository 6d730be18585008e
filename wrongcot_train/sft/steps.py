"""The steps of a run: TRL's loop, with our log beside it, a mark on every whole checkpoint, and the curve."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wrongcot_data.errors import CheckFailed
from wrongcot_train.device import is_main
from wrongcot_train.sft.checkpoints import CHECKPOINTS, Checkpoint, drop_torn, mark, newest_good
from wrongcot_train.sft.curve import read_curve
from wrongcot_train.sft.folder import LOSSES
from wrongcot_train.sft.prepare import Prepared

Score = Callable[[int, float, Path | None], Mapping[str, float]]
"""Scores a student after a step: step, epoch, the checkpoint (None for the student before the first step); returns what
trackers are told."""


TOKENS = "num_tokens"
"""TRL's name for the tokens seen so far, prompts included."""


def run_steps(ready: Prepared, out: Path, say: Callable[[str], None], score: Score | None) -> list[dict[str, Any]]:
    """All steps that are not done yet; the newest good checkpoint in `out` is gone on from.

    Returns:
        the log, a line a logged step, those before an interruption too.

    Raises:
        CheckFailed: a loss is no number.
    """
    if is_main():
        for torn in drop_torn(out / CHECKPOINTS):
            say(f"the checkpoint at step {torn.step} was torn by an interruption; it is left out")
    _wait()
    good = newest_good(out / CHECKPOINTS)
    lines = _kept_lines(out / LOSSES, good.step if good else 0)
    if good:
        gone = f"; of {good.step - len(lines)} steps before it the log is gone" if len(lines) < good.step else ""
        say(f"going on from the checkpoint at step {good.step}{gone}")
    with (out / LOSSES).open("a", encoding="utf-8") if is_main() else _Nowhere() as log:
        ready.trainer.add_callback(_log_callback(ready, log, lines, say))
        ready.trainer.add_callback(_checkpoint_callback(ready, out, score, good))
        ready.trainer.train(resume_from_checkpoint=str(good.folder) if good else None)
    check_weights(ready, ready.steps)
    return lines


def check_weights(ready: Prepared, step: int) -> None:
    """See that what would be saved are numbers. (A loss is of the weights before its step.)

    Raises:
        CheckFailed: some are not.
    """
    import torch

    model: Any = ready.trainer.model
    with torch.no_grad():
        whole = all(bool(torch.isfinite(one).all()) for one in model.parameters() if one.requires_grad)
    if not whole:
        raise no_number(f"weights are no numbers after step {step}")


def no_number(what: str) -> CheckFailed:
    """The error for a run that cannot go on."""
    hints = ["--learning-rate    (lower, and --out ANOTHER: it is another run)", "--dtype float32"]
    return CheckFailed(f"{what}; it was not saved", try_=hints)


def _wait() -> None:
    from accelerate import PartialState

    PartialState().wait_for_everyone()


class _Nowhere:
    """A log of a process that is not the main one."""

    def __enter__(self) -> _Nowhere:
        return self

    def __exit__(self, *_: object) -> None: ...

    def write(self, text: str) -> None: ...

    def flush(self) -> None: ...


def _kept_lines(path: Path, step: int) -> list[dict[str, Any]]:
    """The lines of the log up to a step, each once; later ones, and what a kill tore, are taken out of the file."""
    found = {}
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []:
        line = _line(text)
        if line and line["step"] <= step:
            found[line["step"]] = line
    lines = [found[number] for number in sorted(found)]
    if is_main():
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return lines


def _line(text: str) -> dict[str, Any] | None:
    """A line of our log; None for anything else."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    whole = isinstance(value, dict) and isinstance(value.get("step"), int) and isinstance(value.get("loss"), float)
    return value if whole else None


def _log_callback(ready: Prepared, log: Any, lines: list[dict[str, Any]], say: Callable[[str], None]) -> Any:
    from transformers import TrainerCallback

    before = lines[-1].get(TOKENS, 0) if lines else 0

    class Log(TrainerCallback):
        """Every loss to the file and the terminal; one that is no number ends the run before anything is saved."""

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if "loss" not in logs:
                return
            loss, slope = float(logs["loss"]), float(logs.get("grad_norm") or 0.0)
            for name, value in (("loss", loss), ("gradient", slope)):
                if not math.isfinite(value):
                    raise no_number(f"the {name} is {value} at step {state.global_step}")
            line = {"step": state.global_step, **_plain(logs)}
            line[TOKENS] = before + line.get(TOKENS, 0)  # TRL counts from where it was started
            lines.append(line)
            log.write(json.dumps(line) + "\n")
            log.flush()
            say(f"step {state.global_step}/{ready.steps}  loss {loss:.4f}")

    return Log()


def _checkpoint_callback(ready: Prepared, out: Path, score: Score | None, good: Checkpoint | None) -> Any:
    from transformers import TrainerCallback

    class Checkpoints(TrainerCallback):
        """Marks what is whole, and scores it."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if score and good is None:
                self._score(0, 0.0, None)
            elif score and good and good.step not in {point["step"] for point in read_curve(out)}:
                self._score(good.step, float(state.epoch or 0), good.folder)  # a kill came between save and score

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            _wait()  # every process has written its part
            check_weights(ready, state.global_step)
            folder = out / CHECKPOINTS / f"checkpoint-{state.global_step}"
            if is_main():
                mark(Checkpoint(folder, state.global_step))
            if score:
                self._score(state.global_step, float(state.epoch), folder)

        def _score(self, step: int, epoch: float, folder: Path | None) -> None:
            told: Mapping[str, float] = score(step, epoch, folder) if score and is_main() else {}
            if told:
                ready.trainer.log(dict(told))
            _wait()

    return Checkpoints()


def _plain(logs: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in logs.items()}
