"""The process in which two graders compare mathematical answers. It limits itself; whoever waits can rely on that.

A request is a JSON list of reference and answer, a reply one of two opinions: math-verify's and ours.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import struct
import sys
from typing import TYPE_CHECKING

from wrongcot_data.graders.spellings import in_one_spelling

if TYPE_CHECKING:
    from wrongcot_data.graders.second_opinion import Opinion

CPU_S = 3.0
"""For one pair, both graders together; sympy can take for ever over a short one."""

MEMORY = 2 << 30

_LENGTH = struct.Struct(">I")


def opinions(reference: str, answer: str) -> tuple[Opinion, Opinion]:
    """What math-verify and what our own grader say of a pair."""
    from wrongcot_data.graders.second_opinion import compare

    ours = compare(reference, answer)
    if ours == "too large":  # sympy would compute 9^9^9^9 until it is killed
        return ours, ours
    return math_verify_says(reference, answer), ours


def math_verify_says(reference: str, answer: str) -> Opinion:
    """math-verify's opinion, each side in math delimiters and its own alarms off: they fail outside a main thread."""
    from math_verify import parse, verify

    try:
        gold, said = (parse(f"${_plain(text)}$", parsing_timeout=None) for text in (reference, answer))
        if all(isinstance(one, str) for one in gold) or all(isinstance(one, str) for one in said):
            return "none"  # text that it could not parse, which it would compare as text
        same = verify(gold, said, timeout_seconds=None, allow_set_relation_comp=True)
        return "equal" if same else "different"
    except Exception:  # it raises what sympy and antlr raise
        return "none"


def _plain(text: str) -> str:
    """An answer without what math-verify trips over: delimiters within its own, thin spaces, words between values."""
    for before, after in _PLAIN:
        text = before.sub(after, text)
    return in_one_spelling(text)


_PLAIN = [
    (re.compile(pattern), after)
    for pattern, after in (
        (r"\\[()]|(?<!\\)\$|[.,;\s]+\Z", ""),
        (r"(?<=[0-9])(?:\\[,!]|\{,\}|,\\!)(?=[0-9]{3})", ""),
        (r"[\s,;]*\\(?:text|mbox)\s*\{[\s,]*(?:and|or)\s*\}|;", ","),
        (r"\\text\s*\{\s*(\(?[A-Z]\)?(?:\s*,\s*[A-Z])*)\s*\}", r"\1"),
    )
]


def main() -> None:
    """Answer until the other side closes the pipe."""
    import logging

    from math_verify import parse, verify

    logging.disable()
    verify(parse("$x+1$", parsing_timeout=None), parse("$1+x$", parsing_timeout=None), timeout_seconds=None)  # warm
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    requests = sys.stdin.buffer
    while head := requests.read(_LENGTH.size):
        reference, answer = json.loads(requests.read(*_LENGTH.unpack(head)))
        signal.setitimer(signal.ITIMER_PROF, CPU_S)  # nobody catches it: the kernel ends this process
        try:
            told = list(opinions(reference, answer))
        except MemoryError:
            told = ["none", "none"]
        signal.setitimer(signal.ITIMER_PROF, 0)
        reply = json.dumps(told).encode()
        os.write(1, _LENGTH.pack(len(reply)) + reply)


if __name__ == "__main__":
    main()
