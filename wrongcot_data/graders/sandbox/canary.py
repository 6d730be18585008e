"""The canary set: what a layer must hold before any candidate is run in it.

Each source defines `attack()`, which returns `held` where it was refused and says what it got where it was not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wrongcot_data.graders.sandbox import Outcome

HELD = "held"

_REFUSED = """
def attack():
    try:
        {code}
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        return "held"
    return "it could {what}"
"""


def _must_be_refused(code: str, what: str) -> str:
    return _REFUSED.format(code=code, what=what)


CANARIES: Mapping[str, str] = {
    "plain values": "def attack():\n    import heapq, json, statistics, zlib, difflib\n    return 'held'",
    "a child process": _must_be_refused("import os; os.fork()", "fork"),
    "another program": _must_be_refused("import os; os.execv('/bin/true', ['true'])", "run a program"),
    "a thread": _must_be_refused("import _thread; _thread.start_new_thread(print, ())", "start a thread"),
    "a socket": _must_be_refused("import _socket; _socket.socket()", "open a socket"),
    "a file written": _must_be_refused("open('/tmp/wrongcot-canary', 'w')", "write a file"),
    "a secret read": _must_be_refused("open('/etc/passwd').read()", "read a file of this machine"),
    "a folder listed": _must_be_refused("import os; os.listdir('/etc')", "list a folder of this machine"),
    "a signal": _must_be_refused("import os; os.kill(os.getppid(), 0)", "send a signal"),
    "a signal by way of a file": _must_be_refused(
        "import fcntl; fcntl.fcntl(0, fcntl.F_SETOWN, 1)", "have a file send signals"
    ),
    "its parent's pipes": _must_be_refused(
        "import os; os.open(f'/proc/{os.getppid()}/fd/1', os.O_WRONLY)", "answer for its parent"
    ),
    "limits raised": _must_be_refused(
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (900, 900))", "raise its limits"
    ),
    "root": "def attack():\n    import os\n    return 'held' if os.getuid() and os.geteuid() else 'it is root'",
}


def escaped(outcome: Outcome) -> str:
    """What a canary got that it must not get; empty if it was held."""
    if outcome.status != "done":
        return f"{outcome.status}, {outcome.detail}" if outcome.detail else outcome.status
    (result,) = outcome.results
    if result.status != "value":
        return f"{result.status}, {result.detail}"
    return "" if result.value == HELD else str(result.value)
