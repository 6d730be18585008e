"""The filter of system calls as the kernel wants it: a BPF program that lets pass what is listed and refuses the rest.

What pure Python needs to compute, to import and to write to a pipe that it has; no processes, no threads, no sockets,
no signals to others, no limits, no mounts. A list of what may pass is shorter and safer than one of what may not: a
system call of a newer kernel is refused too. Numbers: the kernel's tables for x86-64 and for aarch64 (asm-generic).
"""

from __future__ import annotations

import errno
import fcntl
import platform
import struct
from collections.abc import Mapping

ALLOWED: Mapping[str, tuple[int | None, int | None]] = {
    # name: (x86-64, aarch64); None where the architecture has no such call
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80), "lseek": (8, 62), "pread64": (17, 67),
    "readv": (19, 65), "writev": (20, 66), "dup": (32, 23),
    "open": (2, None), "openat": (257, 56), "stat": (4, None), "lstat": (6, None), "newfstatat": (262, 79),
    "statx": (332, 291), "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439),
    "readlink": (89, None), "readlinkat": (267, 78), "getdents64": (217, 61), "getcwd": (79, 17),
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "mremap": (25, 216), "madvise": (28, 233),
    "brk": (12, 214), "membarrier": (324, 283),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "sigaltstack": (131, 132),
    "select": (23, None), "pselect6": (270, 72), "poll": (7, None), "ppoll": (271, 73),
    "nanosleep": (35, 101), "clock_nanosleep": (230, 115), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "gettimeofday": (96, 169), "time": (201, None), "times": (100, 153), "getrusage": (98, 165),
    "restart_syscall": (219, 128), "sched_yield": (24, 124), "sched_getaffinity": (204, 123),
    "futex": (202, 98), "set_robust_list": (273, 99), "rseq": (334, 293), "getrandom": (318, 278),
    "getpid": (39, 172), "getppid": (110, 173), "gettid": (186, 178), "getuid": (102, 174), "geteuid": (107, 175),
    "getgid": (104, 176), "getegid": (108, 177), "uname": (63, 160), "sysinfo": (99, 179),
    "exit": (60, 93), "exit_group": (231, 94),
}  # fmt: skip

FCNTL = (72, 25)
FCNTL_COMMANDS = (fcntl.F_DUPFD, fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL, fcntl.F_DUPFD_CLOEXEC)
"""What `fcntl` may do. By F_SETOWN and F_SETSIG it would send any signal to any process of the jail."""

ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""Machine to the kernel's AUDIT_ARCH value and the column above."""

_LOAD, _JUMP_EQUAL, _JUMP_ABOVE, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_X32 = 0x40000000
_CLONE3 = 435
_SECOND_ARGUMENT = 24  # where its lower half stands; both architectures are little-endian


def program(machine: str = "") -> bytes:
    """The filter, eight bytes an instruction; empty for a machine that it does not know.

    A foreign architecture or a 32-bit entry kills the process: their numbers mean other calls. `clone3` is `ENOSYS`, so
    that the C library falls back to calls that are refused by name; all else that is not listed is `EPERM`.
    """
    known = ARCHITECTURES.get(machine or platform.machine())
    if known is None:
        return b""
    architecture, column = known
    numbers = sorted(number for row in ALLOWED.values() if (number := row[column]) is not None)
    steps = [
        _step(_LOAD, 4),
        _step(_JUMP_EQUAL, architecture, 1, 0),
        _step(_RETURN, _KILL_PROCESS),
        _step(_LOAD, 0),
        _step(_JUMP_ABOVE, _X32, 0, 1),
        _step(_RETURN, _KILL_PROCESS),
    ]
    for number in numbers:
        steps += [_step(_JUMP_EQUAL, number, 0, 1), _step(_RETURN, _ALLOW)]
    steps += [_step(_JUMP_EQUAL, _CLONE3, 0, 1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    refused = _step(_RETURN, _ERRNO | errno.EPERM)
    steps += [_step(_JUMP_EQUAL, FCNTL[column], 1, 0), refused, _step(_LOAD, _SECOND_ARGUMENT)]
    for command in FCNTL_COMMANDS:
        steps += [_step(_JUMP_EQUAL, command, 0, 1), _step(_RETURN, _ALLOW)]
    return b"".join([*steps, refused])


def _step(code: int, value: int, when_true: int = 0, when_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, when_true, when_false, value)
