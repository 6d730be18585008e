"""What a candidate may try, and how each must end. `attack()` is called once the program has run.

An outcome is a status of the job, or what became of the call: `held` (it was refused and says so), `unserialisable`,
`raised`, or `value` (nothing to refuse: the value means nothing to anybody). `SECRET` is a name of the environment and of
a file outside; no value may hold what stands there.
"""

from __future__ import annotations

import textwrap

REFUSED = "held"


def _refused(code: str) -> str:
    body = textwrap.indent(textwrap.dedent(code).strip(), "        ")
    return f"def attack():\n    try:\n{body}\n    except (OSError, ValueError, RuntimeError, ImportError) as e:\n        return 'held'\n"


def _body(code: str) -> str:
    return "def attack():\n" + textwrap.indent(textwrap.dedent(code).strip(), "    ") + "\n"


LIBC = "import ctypes; libc = ctypes.CDLL(None, use_errno=True); "

ATTACKS: dict[str, tuple[str, set[str]]] = {
    # time and memory
    "endless loop": ("while True: pass", {"timeout"}),
    "endless loop in a call": (_body("while True: pass"), {"timeout"}),
    "deaf to all signals": (
        "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except Exception: pass\n"
        "while True: pass",
        {"timeout"},
    ),
    "its timer put off": (
        "import signal\ntry: signal.setitimer(signal.ITIMER_PROF, 0)\nexcept Exception: pass\nwhile True: pass",
        {"timeout"},
    ),
    "a power without end": (_body("return 9**9**7"), {"timeout", "memory"}),
    "a folded power": ("x = 9**9**9**9", {"timeout", "memory", "raised"}),
    "sleep": ("import time; time.sleep(60)", {"timeout"}),
    "eight gigabytes": (_body("return len(bytearray(8 << 30))"), {"memory"}),
    "a list without end": (_body("x = []\nwhile True: x.append(bytes(10**7))"), {"memory"}),
    "recursion without end": (_body("return attack()"), {"raised"}),
    "recursion with no limit": (
        "import sys\nsys.setrecursionlimit(10**9)\n" + _body("return attack()"),
        {"killed", "memory", "raised", "timeout"},
    ),
    "deep brackets": ("x = " + "(" * 5000 + ")" * 5000, {"syntax", "memory", "raised"}),
    "deep list display": ("x = " + "[" * 90 + "]" * 90 + "\n" + _body("return x"), {"unserialisable", "value"}),
    "a regular expression without end": (
        "import re\n" + _body("return bool(re.match('(a+)+$', 'a' * 40 + 'b'))"),
        {"timeout"},
    ),
    # processes
    "fork": (_refused("import os; os.fork()"), {REFUSED}),
    "fork bomb": (_refused("import os\nwhile True: os.fork()"), {REFUSED}),
    "fork by the C library": (
        LIBC + "\n" + _body("return 'held' if libc.fork() == -1 else 'forked'"),
        {REFUSED},
    ),
    "clone by number": (
        LIBC + "\n" + _body("return 'held' if libc.syscall(56, 17, 0, 0, 0, 0) == -1 else 'x'"),
        {REFUSED},
    ),
    "clone3 by number": (LIBC + "\n" + _body("return 'held' if libc.syscall(435, 0, 0) == -1 else 'x'"), {REFUSED}),
    "posix_spawn": (_refused("import os; os.posix_spawn('/bin/true', ['true'], {})"), {REFUSED}),
    "exec": (_refused("import os; os.execv('/bin/sh', ['sh'])"), {REFUSED}),
    "system": (_body("import os\nreturn 'held' if os.system('true') else 'ran'"), {REFUSED}),
    "subprocess": (_refused("import subprocess; subprocess.run(['/bin/true'])"), {REFUSED}),
    "a thread": (_refused("import threading; threading.Thread(target=print).start()"), {REFUSED}),
    "thread bomb": (_refused("import _thread\nwhile True: _thread.start_new_thread(print, ())"), {REFUSED}),
    "multiprocessing": (_refused("import multiprocessing as m; m.Process(target=print).start()"), {REFUSED}),
    "kill the parent": (_refused("import os, signal; os.kill(os.getppid(), signal.SIGKILL)"), {REFUSED}),
    "kill everyone": (_refused("import os, signal; os.kill(-1, signal.SIGKILL)"), {REFUSED}),
    "kill its group": (_refused("import os, signal; os.killpg(0, signal.SIGKILL)"), {REFUSED}),
    "ptrace": (LIBC + "\n" + _body("return 'held' if libc.ptrace(16, 1, 0, 0) == -1 else 'x'"), {REFUSED}),
    "read another's memory": (
        LIBC + "\n" + _body("return 'held' if libc.syscall(310, 1, 0, 0, 0, 0, 0) == -1 else 'x'"),
        {REFUSED},
    ),
    # network
    "a socket": (_refused("import socket; socket.socket()"), {REFUSED}),
    "a pair of sockets": (_refused("import socket; socket.socketpair()"), {REFUSED}),
    "a name looked up": (_refused("import socket; socket.create_connection(('127.0.0.1', 80))"), {REFUSED}),
    "a page fetched": (_refused("import urllib.request as u; u.urlopen('http://127.0.0.1/')"), {REFUSED}),
    # files
    "write beside": (_refused("open('attack.txt', 'w').write('x')"), {REFUSED}),
    "write in /tmp": (_refused("open('/tmp/attack', 'w').write('x')"), {REFUSED}),
    "write in /dev/shm": (_refused("open('/dev/shm/attack', 'wb').write(b'x')"), {REFUSED}),
    "write in the library": (_refused("import os; open(os.__file__, 'a').write('x')"), {REFUSED}),
    "make a folder": (_refused("import os; os.mkdir('/tmp/attack')"), {REFUSED}),
    "many files": (_refused("import tempfile; [tempfile.mkstemp() for _ in range(1000)]"), {REFUSED}),
    "remove a file": (_refused("import os; os.remove(os.__file__)"), {REFUSED}),
    "a link": (_refused("import os; os.symlink('/etc/passwd', '/tmp/attack')"), {REFUSED}),
    "change a mode": (_refused("import os; os.chmod('/', 0o777)"), {REFUSED}),
    "a file in memory": (_refused("import os; os.memfd_create('x')"), {REFUSED}),
    "read the users": (_refused("return open('/etc/passwd').read()"), {REFUSED}),
    "read root's home": (_refused("import os; return os.listdir('/root')"), {REFUSED}),
    "list /etc": (_refused("import os; return os.listdir('/etc')"), {REFUSED}),
    "read its environment by /proc": (_refused("return open('/proc/self/environ').read()"), {REFUSED}),
    "read the first process": (_refused("return open('/proc/1/environ').read()"), {REFUSED}),
    "read its parent's memory": (
        _refused("import os; return open(f'/proc/{os.getppid()}/mem', 'rb').read(10)"),
        {REFUSED},
    ),
    "leave by the kept folder": (
        _refused("import os; return os.open('../../../../../../etc/passwd', os.O_RDONLY, dir_fd=200)"),
        {REFUSED},
    ),
    "leave by its name": (_refused("return open('/proc/self/fd/200/../../../../../etc/passwd').read()"), {REFUSED}),
    "go to the kept folder": (_refused("import os; os.fchdir(200); os.chdir('..')"), {REFUSED}),
    "open a thousand files": (_refused("import os; x = [open(os.__file__) for _ in range(1000)]"), {REFUSED}),
    "chroot": (_refused("import os; os.chroot('/usr')"), {REFUSED}),
    "mount": (
        LIBC + "\n" + _body("return 'held' if libc.mount(b'x', b'/tmp', b'tmpfs', 0, 0) == -1 else 'x'"),
        {REFUSED},
    ),
    "new namespaces": (LIBC + "\n" + _body("return 'held' if libc.unshare(0x10000000) == -1 else 'x'"), {REFUSED}),
    "a key ring": (LIBC + "\n" + _body("return 'held' if libc.syscall(250, 0, 0, 0) == -1 else 'x'"), {REFUSED}),
    "a BPF program": (LIBC + "\n" + _body("return 'held' if libc.syscall(321, 0, 0, 0) == -1 else 'x'"), {REFUSED}),
    "io_uring": (LIBC + "\n" + _body("return 'held' if libc.syscall(425, 1, 0) == -1 else 'x'"), {REFUSED}),
    "userfaultfd": (LIBC + "\n" + _body("return 'held' if libc.syscall(323, 0) == -1 else 'x'"), {REFUSED}),
    "become root": (_refused("import os; os.setuid(0)"), {REFUSED}),
    "raise its limits": (_refused("import resource as r; r.setrlimit(r.RLIMIT_AS, (-1, -1))"), {REFUSED}),
    # its own ends
    "exit quietly": ("import sys; sys.exit(0)", {"raised"}),
    "exit quietly in a call": (_body("import sys; sys.exit(0)"), {"raised"}),
    "exit at once": ("import os; os._exit(0)", {"exited"}),
    "exit at once in a call": (_body("import os; os._exit(0)"), {"exited"}),
    "abort": (_body("import os; os.abort()"), {"killed"}),
    "a null pointer": ("import ctypes\n" + _body("ctypes.string_at(0)"), {"killed"}),
    "an interrupt": (_body("raise KeyboardInterrupt"), {"raised"}),
    "the base of all exceptions": (_body("raise BaseException('PASS')"), {"raised"}),
    "an exception that raises": (
        "class E(Exception):\n    def __str__(self): raise SystemExit\n" + _body("raise E"),
        {"raised"},
    ),
    "at exit": ("import atexit\natexit.register(lambda: 1 / 0)\n" + _body("return 1"), {"value"}),
    "its last will": ("class D:\n    def __del__(self): raise SystemExit(0)\nd = D()\n" + _body("return 1"), {"value"}),
    # what it says
    "read standard input": (_body("import sys\nreturn sys.stdin.read() or 'held'"), {REFUSED, "raised"}),
    "close its outputs": (_body("import os\nos.closerange(0, 3)\nreturn 'held'"), {REFUSED}),
    "close everything": (_body("import os\nos.closerange(0, 300)\nreturn 1"), {"exited", "raised"}),
    "a gigabyte of words": (_body("for _ in range(1000): print('x' * 10**6)\nreturn 1"), {"value", "timeout"}),
    "a gigabyte in every pipe": (
        _body(
            "import os\nwhile True:\n    for n in range(3, 300):\n        try: os.write(n, b'x' * 65536)\n        except OSError: pass"
        ),
        {"killed", "exited", "timeout"},
    ),
    "PASS in every pipe": (
        _body(
            "import os\nfor n in range(3, 300):\n    try: os.write(n, b'PASS')\n    except OSError: pass\nos._exit(0)"
        ),
        {"exited"},
    ),
    "a deep value": (_body("x = []\nfor _ in range(10**5): x = [x]\nreturn x"), {"unserialisable"}),
    "a value that holds itself": (_body("x = []\nx.append(x)\nreturn x"), {"unserialisable"}),
    "a value that doubles": (_body("x = [0]\nfor _ in range(50): x = [x, x]\nreturn x"), {"unserialisable", "timeout"}),
    "a text too long": (_body("return 'x' * (64 << 20)"), {"killed", "timeout"}),
    "a generator": (_body("return (n for n in range(3))"), {"unserialisable"}),
    "an iterator without end": (_body("import itertools\nreturn itertools.count()"), {"unserialisable"}),
    "equal to anything": (
        "class A:\n    def __eq__(self, other): return True\n" + _body("return A()"),
        {"unserialisable"},
    ),
    "an integer equal to anything": (
        "class I(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\n" + _body("return I(1)"),
        {"unserialisable"},
    ),
    "a text equal to anything": (
        "class S(str):\n    __eq__ = lambda *a: True\n" + _body("return S('a')"),
        {"unserialisable"},
    ),
    "a dict that lies": ("class D(dict):\n    __eq__ = lambda *a: True\n" + _body("return D()"), {"unserialisable"}),
    "it says it is an int": (
        "class A:\n    __class__ = property(lambda self: int)\n    __eq__ = lambda *a: True\n" + _body("return A()"),
        {"unserialisable"},
    ),
    "an integer of a million digits": (_body("return 7 ** 10**6"), {"value"}),
    "half a character": (_body("return '\\ud800'"), {"value"}),
    "not a number": (_body("return float('nan')"), {"value"}),
    # what it may spoil
    "another json": (
        "import json\njson.dumps = lambda *a, **k: '[\"value\", 1]'\n" + _body("return 2"),
        {"value", "exited"},
    ),
    "other builtins": (
        "import builtins\nfor n in ('type', 'isinstance', 'len', 'list'):\n    setattr(builtins, n, lambda *a: int)\n"
        + _body("return 2"),
        {"value", "exited", "raised", "killed", "unserialisable"},
    ),
    "the runner taken apart": (
        "import sys\nm = sys.modules['__main__']\nfor n in list(vars(m)):\n    if not n.startswith('__'): setattr(m, n, None)\n"
        + _body("return 1"),
        {"exited", "value"},
    ),
    "look up the stack": (
        _body(
            "import sys\nf, seen = sys._getframe(), []\nwhile f:\n    seen += [repr(v)[:2000] for v in f.f_locals.values()]\n    f = f.f_back\nreturn seen"
        ),
        {"value"},
    ),
    "look through all objects": (
        _body("import gc\nreturn [o for o in gc.get_objects() if isinstance(o, str)][:1000]"),
        {"value"},
    ),
    "its environment": (_body("import os\nreturn dict(os.environ)"), {"value", "unserialisable"}),
    "a package that is not there": (_refused("import numpy"), {REFUSED}),
    # its source
    "a NUL": ("x = 1\0", {"syntax"}),
    "half a character in the source": ("x = '\ud800'", {"syntax"}),
    "a long line": ("x = '" + "a" * 5_000_000 + "'\n" + _body("return 1"), {"value", "memory"}),
    "no Python": ("def f(:", {"syntax"}),
}
