"""Plain values from the jail, decoded strictly: whatever is not exactly of a known shape is refused."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

MAX_DEPTH = 70
MAX_NODES = 200_000
MAX_BARE_BITS = 53  # of an int that JSON writes as it is
MAX_DIGITS = 20_000  # of a fraction or range
MAX_KEY_DIGITS = 400  # of a number in a key of a dict or an element of a set
MAX_ALIKE = 40  # elements or keys of one hash
MAX_ALIKE_IN_KEY = 8  # the same in a frozenset that is a key itself
"""What a value may have. Forged, more would cost us minutes: keys of one hash are compared each with each, and a
Decimal with an int in a time that grows with the square of the digits."""


class MalformedError(Exception):
    """What came is no encoded value."""


class Matched:
    """Stands for a `re.Match`: true, and equal to nothing."""


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


def decode(coded: Any) -> Any:
    """The value that the jail encoded.

    Raises:
        MalformedError: it did not come from our encoder.
    """
    return _Decoder().value(coded, 0, in_key=False)


class _Decoder:
    """Decodes one value, and counts its parts."""

    def __init__(self) -> None:
        self._left = MAX_NODES

    def value(self, coded: Any, depth: int, *, in_key: bool) -> Any:
        """A part of the value; `in_key` where it will be hashed and compared with others."""
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise MalformedError
        if coded is None or isinstance(coded, bool | str):
            return coded
        if isinstance(coded, int) and coded.bit_length() <= MAX_BARE_BITS:
            return coded
        if not isinstance(coded, list) or not coded:
            raise MalformedError
        name, *rest = coded
        try:
            if name in _SEQUENCES:
                (parts,) = rest
                return self._sequence(name, parts, depth + 1, in_key=in_key)
            if name in _MAPPINGS:
                (pairs,) = rest
                keys = self._keys([key for key, _ in pairs], depth + 1, in_key=in_key)
                items = [self.value(item, depth + 1, in_key=in_key) for _, item in pairs]
                return _MAPPINGS[name](zip(keys, items, strict=True))
            return _scalar(name, rest, MAX_KEY_DIGITS if in_key else None)
        except (ValueError, TypeError, OverflowError, InvalidOperation, ZeroDivisionError) as error:
            raise MalformedError from error

    def _sequence(self, name: str, parts: list[Any], depth: int, *, in_key: bool) -> Any:
        if name in ("set", "frozenset"):
            return _SEQUENCES[name](self._keys(parts, depth, in_key=in_key))
        return _SEQUENCES[name]([self.value(part, depth, in_key=in_key) for part in parts])

    def _keys(self, coded: list[Any], depth: int, *, in_key: bool) -> list[Any]:
        """The elements of a set or the keys of a mapping, not too many of one hash."""
        keys = [self.value(key, depth, in_key=True) for key in coded]
        most = MAX_ALIKE_IN_KEY if in_key else MAX_ALIKE
        if len(keys) > most and max(Counter(map(hash, keys)).values()) > most:
            raise MalformedError
        return keys


def _scalar(name: Any, rest: list[Any], most: int | None) -> Any:
    """What is written as text; `most` is how many characters it may have."""
    if not all(isinstance(part, str) for part in rest):
        raise MalformedError
    size = sum(map(len, rest))
    if most is not None and size > most and name not in ("bytes", "bytearray"):
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
        case "range", [start, stop, step] if size <= MAX_DIGITS:
            return range(int(start, 16), int(stop, 16), int(step, 16))
        case "decimal", [digits] if not Decimal(digits).is_snan():  # one raises where it is compared
            return Decimal(digits)
        case "fraction", [above, below] if size <= MAX_DIGITS:
            return Fraction(int(above, 16), int(below, 16))
        case "match", []:
            return Matched()
    raise MalformedError


def encode(value: Any) -> Any:
    """A plain value as the jail's own encoder writes it, for a judge.

    Raises:
        MalformedError: it is of another type.
    """
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind in _SCALARS:
        return _SCALARS[kind](value)
    if kind in _NAMES:
        if issubclass(kind, dict):
            return [_NAMES[kind], [[encode(key), encode(item)] for key, item in value.items()]]
        return [_NAMES[kind], [encode(item) for item in value]]
    raise MalformedError


_SCALARS: dict[type, Callable[[Any], list[str]]] = {
    int: lambda value: ["int", hex(value)],
    float: lambda value: ["float", value.hex()],
    complex: lambda value: ["complex", value.real.hex(), value.imag.hex()],
    bytes: lambda value: ["bytes", value.hex()],
    bytearray: lambda value: ["bytearray", value.hex()],
    range: lambda value: ["range", hex(value.start), hex(value.stop), hex(value.step)],
    Decimal: lambda value: ["decimal", str(value)],
    Fraction: lambda value: ["fraction", hex(value.numerator), hex(value.denominator)],
    Matched: lambda _: ["match"],
}
_NAMES: dict[type, str] = {
    **{kind: kind.__name__ for kind in (list, tuple, set, frozenset, deque, dict)},
    Counter: "counter",
    OrderedDict: "ordered",
}
