"""Plain values from the jail, decoded strictly: whatever is not exactly of a known shape is refused."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

MAX_DEPTH = 70


class MalformedError(Exception):
    """What came is no encoded value."""


_SEQUENCES: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "deque": deque,
}
_MAPPINGS: dict[str, Callable[[Any], Any]] = {
    "dict": dict,
    "counter": lambda pairs: Counter(dict(pairs)),
    "ordered": OrderedDict,
}


def decode(coded: Any, depth: int = 0) -> Any:
    """The value that the jail encoded.

    Raises:
        MalformedError: it did not come from our encoder.
    """
    if coded is None or isinstance(coded, bool | str | int):
        return coded
    if not isinstance(coded, list) or not coded or depth > MAX_DEPTH:
        raise MalformedError
    name, *rest = coded
    try:
        if name in _SEQUENCES:
            (parts,) = rest
            return _SEQUENCES[name]([decode(part, depth + 1) for part in parts])
        if name in _MAPPINGS:
            (pairs,) = rest
            return _MAPPINGS[name]([(decode(key, depth + 1), decode(item, depth + 1)) for key, item in pairs])
        return _scalar(name, rest)
    except (ValueError, TypeError, OverflowError, InvalidOperation, ZeroDivisionError) as error:
        raise MalformedError from error


def _scalar(name: Any, rest: list[Any]) -> Any:
    if not all(isinstance(part, str) for part in rest):
        raise MalformedError
    match name, rest:
        case "int", [digits]:
            return int(digits, 16)
        case "float", [digits]:
            return float.fromhex(digits)
        case "complex", [real, imaginary]:
            return complex(float.fromhex(real), float.fromhex(imaginary))
        case "bytes", [digits]:
            return bytes.fromhex(digits)
        case "bytearray", [digits]:
            return bytearray.fromhex(digits)
        case "range", [start, stop, step]:
            return range(int(start, 16), int(stop, 16), int(step, 16))
        case "decimal", [digits]:
            return Decimal(digits)
        case "fraction", [above, below]:
            return Fraction(int(above, 16), int(below, 16))
    raise MalformedError


def encode(value: Any) -> Any:
    """A plain value as the jail's own encoder writes it, for a judge.

    Raises:
        MalformedError: it is of another type.
    """
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind is int:
        return ["int", hex(value)]
    if kind is float:
        return ["float", value.hex()]
    if kind is complex:
        return ["complex", value.real.hex(), value.imag.hex()]
    if kind in (bytes, bytearray):
        return [kind.__name__, value.hex()]
    if kind is range:
        return ["range", hex(value.start), hex(value.stop), hex(value.step)]
    if kind is Decimal:
        return ["decimal", str(value)]
    if kind is Fraction:
        return ["fraction", hex(value.numerator), hex(value.denominator)]
    for name, maker in {"counter": Counter, "ordered": OrderedDict, "dict": dict}.items():
        if kind is maker:
            return [name, [[encode(key), encode(item)] for key, item in value.items()]]
    for name, maker in {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset, "deque": deque}.items():
        if kind is maker:
            return [name, [encode(item) for item in value]]
    raise MalformedError
