"""Steps with a mistake as a scripted teacher writes them: a plausible slip, the step as it was, talk, or a piece."""

from __future__ import annotations

from random import Random

from wrongcot_data.tasks.base import Imitation, judges_programs
from wrongcot_data.variants.corrupt import slip
from wrongcot_data.variants.corrupt.base import Place, spoilt
from wrongcot_data.variants.corrupt.programs import arithmetic, boundary, comparison, constant, variable

_MUTATIONS = (arithmetic, boundary, comparison, constant, variable)
_TALK = ("Here is the step with a mistake:", "Sure! This is the changed step:", "I made one mistake on purpose:")


def imitate(place: Place, kind: Imitation, rng: Random) -> str:
    """A reply about a step: `right` has a slip, `wrong` none, `malformed` gives the slip away.

    A step in which no slip is found stays as it is; of a program, not every slip makes it fail.
    """
    step = place.step.text
    if kind == "wrong":
        return step if judges_programs(place.task) or rng.random() < 0.5 else f"{step} So it is."
    text = _slipped(place, rng)
    if kind == "malformed":
        return f"{rng.choice(_TALK)}\n{text}"
    if kind == "truncated":
        return text[: max(1, int(len(text) * rng.uniform(0.3, 0.9)))]
    return text


def _slipped(place: Place, rng: Random) -> str:
    ways = list(_MUTATIONS) if judges_programs(place.task) else [slip]
    rng.shuffle(ways)
    for way in ways:
        edit = next(way.propose(place, rng), None)
        if edit:
            return spoilt(place, edit)
    return place.step.text
