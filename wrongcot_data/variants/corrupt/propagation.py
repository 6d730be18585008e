"""What follows from a wrong value: later numbers that were the right one, and what was computed from them.

A value is followed only where it is plain whose it is: if the right value came up before the wrong step too, in the
question or in the trace, and comes up again later, nobody can say which of the two is meant, and the edit is not taken.
Nor is it where the value goes into something that is not read as an equation, since that cannot be computed again:
`324 - 80 = 19 marbles more` would be false, and no label would say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from wrongcot_data.steps.equations import Equation, find_equations
from wrongcot_data.variants.corrupt.answers import following
from wrongcot_data.variants.corrupt.base import Change, Edit, Place, applied
from wrongcot_data.variants.corrupt.numerals import Anatomy, Numeral, anatomy, numbers_in
from wrongcot_data.variants.corrupt.quantity_swap import quantities

_SEPARATOR = re.compile(r"[^0-9.]")
_WRITTEN = re.compile(r"(?:[0-9]{1,15}|[0-9]{1,3}(?:[,{}\\!;~ ]+[0-9]{3})+|(?=\.))(?:\.[0-9]{1,8})?")  # 1{,}234.5
_SENTENCE_END = re.compile(r"\n|[.;?!](?=\s|\Z)")
_SIGN = re.compile(r"[=≈]")
_NEAR = 12  # characters in which a sign before a number is looked for
# `x = ` before a number
_NAMED = re.compile(r"(?:^|[\s$,;:(])\\?[A-Za-z]+(?:_\{?\w+\}?)?[\s$&]*(=)[\s$]*(?:\\boxed\{)?\Z", re.MULTILINE)
_BEFORE = re.compile(r"(?:[-+*/×÷·–−^]|\\(?:times|cdot|div)|[0-9)] ?x)[\s$({]*\Z")  # an operation on what follows
_AFTER = re.compile(r"[\s$)}]*(?:[-+*/×÷·–−^](?=[\s$(\\]*[0-9])|\\(?:times|cdot|div)|x ?[0-9])")


def propagated(place: Place, edit: Edit, kept: tuple[int, int]) -> Edit | None:
    """An edit with all that follows from its wrong value.

    Args:
        kept: a span of the text where nothing follows: the answer, where that is to stay.

    Returns:
        None where the edit changes no result, or what follows cannot be told or written.
    """
    changed = _changed_result(place, edit)
    if changed is None:
        return None
    start, old, new = changed
    known = set(quantities(place.problem)) | {
        number.value for number in numbers_in(place.text[: edit.changes[0].start])
    }
    target = place.problem.data.get("target")  # of Countdown: what the trace says of it stays true
    values = {old: new}
    changes = list(edit.changes)
    read = [equation for equation in find_equations(place.text) if equation.verdict != "unchecked"]
    for part in _parts(place.text, start):
        numbers = (part,) if isinstance(part, Numeral) else part.operands
        touched = [one for one in numbers if one.value in values and not kept[0] <= one.start < kept[1]]
        if not touched:
            continue
        if any(one.value in known for one in touched):
            return None
        if any(_is_in_something_unread(place.text, one, read) for one in touched):
            return None
        rewritten = [one.rewritten(values[one.value]) for one in touched]
        patch = [change for change in rewritten if change]
        if len(patch) < len(rewritten):
            return None
        if isinstance(part, Anatomy) and part.equation.verdict == "valid":
            again = _computed(place.text, part, patch)
            if again is None or part.result is None:
                return None
            if again != part.result.value:
                if target in (again, part.result.value):
                    return None
                result = part.result.rewritten(again)
                if result is None or values.get(part.result.value, again) != again:
                    return None
                values[part.result.value] = again
                patch.append(result)
        changes += patch
    return Edit(tuple(sorted(changes)), edit.kind)


def _is_in_something_unread(text: str, one: Numeral, read: Sequence[Equation]) -> bool:
    """Whether a number is computed with, or set equal to more than a name, where no equation is read."""

    def is_read(at: int) -> bool:
        return any(equation.start <= at < equation.end for equation in read)

    if is_read(one.start):
        return False
    if _BEFORE.search(text, max(0, one.start - _NEAR), one.start) or _AFTER.match(text, one.end):
        return True
    start = max((found.end() for found in _SENTENCE_END.finditer(text, 0, one.start)), default=0)
    after = _SENTENCE_END.search(text, one.end)
    signs = {sign.start() for sign in _SIGN.finditer(text, start, after.start() if after else len(text))}
    named = _NAMED.search(text, start, one.start)
    return any(not is_read(at) for at in signs - ({named.start(1)} if named else set()))


def with_answer(place: Place, edit: Edit, span: tuple[int, int]) -> Edit:
    """An edit with the answer that follows from it alone: the wrong value, if the answer was the right one."""
    changed = _changed_result(place, edit)
    answer = following(place.text, span, *changed[1:]) if changed and span[0] >= changed[0] else None
    return Edit((*edit.changes, answer), edit.kind) if answer else edit


def _changed_result(place: Place, edit: Edit) -> tuple[int, Fraction, Fraction] | None:
    """Where the changed result of the edit ends, what it was and what it is now."""
    change = edit.changes[0]
    for equation in find_equations(place.text, place.step.start, place.step.end):
        result = anatomy(place.text, equation).result
        if result and (result.start, result.end) == change[:2]:
            if not _WRITTEN.fullmatch(change.text):
                return None  # a model may write anything
            return result.end, result.value, Fraction(_SEPARATOR.sub("", change.text))
    return None


def _parts(text: str, start: int) -> Iterator[Anatomy | Numeral]:
    """What follows a place: the equations, taken apart, and the numbers between them, in order."""
    at = start
    for equation in find_equations(text, start):
        yield from _between(text, at, equation.start)
        if equation.start >= at:
            yield anatomy(text, equation)
            at = equation.end
    yield from _between(text, at, len(text))


def _between(text: str, start: int, end: int) -> Iterator[Numeral]:
    for one in numbers_in(text[start:end]) if end > start else ():
        yield Numeral(one.start + start, one.end + start, one.text, one.value, one.places)


def _computed(text: str, part: Anatomy, patch: list[Change]) -> Fraction | None:
    """What the computed side of an equation is worth after a patch; None where it cannot be told."""
    equation = part.equation
    inner = [Change(one.start - equation.start, one.end - equation.start, one.text) for one in patch]
    patched = applied(equation.text, Edit(tuple(sorted(inner))))
    found: list[Equation] = list(find_equations(patched))
    if len(found) != 1 or found[0].value is None:
        return None
    return Fraction(found[0].value)
