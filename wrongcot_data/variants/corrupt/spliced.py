"""Spliced step: a step of another problem, with its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from wrongcot_data.variants.corrupt.base import Change, Edit, Operator, Place
from wrongcot_data.variants.corrupt.structure import separator


def propose(place: Place, rng: Random) -> Iterator[Edit]:
    """Behind the step, one of a worked example of the task: those are never problems themselves."""
    examples = [
        step.text
        for problem, trace in place.task.shots(place.problem)
        for step in place.task.steps(problem, trace)
        if step.verdict == "valid"
    ]
    step = place.step
    for text in rng.sample(examples, len(examples)):
        yield Edit((Change(step.end, step.end, separator(place) + text),))


OPERATOR = Operator("spliced", "structure", propose, "a step of another problem")
