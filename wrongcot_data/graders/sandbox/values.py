"""Plain values from the jail, decoded strictly: whatever is not exactly of a known shape is refused."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

MAX_DEPTH = 70
MAX_ALIKE = 256
MAX_DIGITS = 20_000
"""Elements of one hash in a set or dict, digits of a fraction or range: forged, more would cost us minutes."""


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
            (coded_parts,) = rest
            parts = [decode(part, depth + 1) for part in coded_parts]
            if name in ("set", "frozenset"):
                _refuse_alike(parts)
            return _SEQUENCES[name](parts)
        if name in _MAPPINGS:
            (coded_pairs,) = rest
            pairs = [(decode(key, depth + 1), decode(item, depth + 1)) for key, item in coded_pairs]
            _refuse_alike([key for key, _ in pairs])
            return _MAPPINGS[name](pairs)
        return _scalar(name, rest)
    except (ValueError, TypeError, OverflowError, InvalidOperation, ZeroDivisionError) as error:
        raise MalformedError from error


def _refuse_alike(keys: list[Any]) -> None:
    if len(keys) > MAX_ALIKE and max(Counter(map(hash, keys)).values()) > MAX_ALIKE:
        raise MalformedError


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
        case "range", [start, stop, step] if len(start) + len(stop) + len(step) <= MAX_DIGITS:
            return range(int(start, 16), int(stop, 16), int(step, 16))
        case "decimal", [digits] if not Decimal(digits).is_snan():  # one raises where it is compared
            return Decimal(digits)
        case "fraction", [above, below] if len(above) + len(below) <= MAX_DIGITS:
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
