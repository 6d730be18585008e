"""Edits that take out, add or move whole steps: which old step is which new one, and what is proven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wrongcot_data.records import Step
from wrongcot_data.variants.corrupt.base import Edit, Place


def separator(place: Place) -> str:
    """What stands between the step and one that is put behind it: a new line, or a space within a line."""
    behind = place.text[place.step.end : place.step.end + 1]
    return " " if behind == " " else "\n"


def moved(before: Sequence[Step], after: Sequence[Step], edit: Edit) -> dict[int, int]:
    """The numbers of the steps that an edit of one place leaves as they are, each with its new one."""
    (change,) = edit.changes
    shift = len(change.text) - (change.end - change.start)
    places = {(step.start, step.end): number for number, step in enumerate(after)}
    found = {}
    for number, step in enumerate(before):
        by = 0 if step.end <= change.start else shift if step.start >= change.end else None
        if by is not None and (step.start + by, step.end + by) in places:
            found[number] = places[step.start + by, step.end + by]
    return found


def proven(
    place: Place, after: Sequence[Step], edit: Edit, operator: str
) -> tuple[tuple[Step, ...], dict[int, int]] | None:
    """The new steps with their operators, and which old ones they are, if exactly one more step is invalid.

    That may be a step that was there before and now takes a number that is not. What was wrong must be there still,
    and no step may become right or unchecked.
    """
    same = moved(place.steps, after, edit)
    if any(step.verdict == "invalid" and number not in same for number, step in enumerate(place.steps)):
        return None
    olds = {new: place.steps[old] for old, new in same.items()}
    steps: list[Step] = []
    fresh = 0
    for number, step in enumerate(after):
        old = olds.get(number)
        if old is not None and (old.verdict, old.kind) == (step.verdict, step.kind):
            steps.append(replace(step, operator=old.operator))
        elif step.verdict == "invalid" and (old is None or old.verdict == "valid"):
            fresh += 1
            steps.append(replace(step, operator=operator))
        elif old is None:
            steps.append(step)
        else:
            return None
    return (tuple(steps), same) if fresh == 1 else None
