"""What a candidate may try, and how each must end. `attack()` is called once the program has run.

An outcome is a status of the job, or what became of the call: `held` (it was refused and says so), `unserialisable`,
`raised`, or `value` (nothing to refuse: the value means nothing to anybody). `SECRET_FILE` stands for the path of a file outside that
its user may read, and `LISTED` for the numbers of the system calls that may pass; no value may hold what is secret.
"""

from __future__ import annotations

import textwrap

REFUSED = "held"


def _refused(code: str) -> str:
    body = textwrap.indent(textwrap.dedent(code).strip(), "        ")
    return f"def attack():\n    try:\n{body}\n    except (OSError, ValueError, RuntimeError, ImportError) as e:\n        return 'held'\n"


def _body(code: str) -> str:
    return "def attack():\n" + textwrap.indent(textwrap.dedent(code).strip(), "    ") + "\n"


def _opened(paths: str, how: str = "os.O_RDONLY | os.O_NONBLOCK") -> str:
    """Try to open each of some paths, to read and to write."""
    return "import os\n" + _body(
        f"""
        got = []
        for path in ({paths}):
            for how in ({how}, os.O_WRONLY | os.O_NONBLOCK):
                try: got.append((path, how, os.open(path, how)))
                except OSError: pass
        return got or 'held'
        """
    )


PIPE = """import os, stat
for PIPE in range(3, 64):
    try:
        if stat.S_ISFIFO(os.fstat(PIPE).st_mode): break
    except OSError: pass
"""
FORGE = f"""import json, struct
{PIPE}
def raw(data):
    data = struct.pack('>I', len(data)) + data
    while data: data = data[os.write(PIPE, data):]
def say(*records):
    for parts in records: raw(json.dumps(parts).encode())
"""
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
    "write beside": (_refused("open('wrongcot-attack.txt', 'w').write('x')"), {REFUSED}),
    "write in /tmp": (_refused("open('/tmp/wrongcot-attack', 'w').write('x')"), {REFUSED}),
    "write in /dev/shm": (_refused("open('/dev/shm/wrongcot-attack', 'wb').write(b'x')"), {REFUSED}),
    "write in the library": (_refused("import os; open(os.__file__, 'a').write('x')"), {REFUSED}),
    "make a folder": (_refused("import os; os.mkdir('/tmp/wrongcot-attack')"), {REFUSED}),
    "many files": (_refused("import tempfile; [tempfile.mkstemp() for _ in range(1000)]"), {REFUSED}),
    "remove a file": (_refused("import os; os.remove(os.__file__)"), {REFUSED}),
    "a link": (_refused("import os; os.symlink('/etc/passwd', '/tmp/wrongcot-attack')"), {REFUSED}),
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
    # what is of a subclass of a plain type is the plain value that it holds
    "an integer equal to anything": (
        "class I(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\n" + _body("return I(1)"),
        {"value"},
    ),
    "a text equal to anything": (
        "class S(str):\n    __eq__ = lambda *a: True\n" + _body("return S('a')"),
        {"value"},
    ),
    "a dict that lies": ("class D(dict):\n    __eq__ = lambda *a: True\n" + _body("return D()"), {"value"}),
    "it says it is an int": (
        "class A:\n    __class__ = property(lambda self: int)\n    __eq__ = lambda *a: True\n" + _body("return A()"),
        {"unserialisable"},
    ),
    "an integer of a million digits": (_body("return 1 << 3_300_000"), {"value"}),
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
    # its parent, by ways that need no signal of its own
    "a signal by way of a file": (
        _refused(
            "import fcntl, os\n" + PIPE + "fcntl.fcntl(PIPE, fcntl.F_SETOWN, os.getppid())\nfcntl.fcntl(PIPE, 10, 9)\n"
            "fcntl.fcntl(PIPE, fcntl.F_SETFL, os.O_ASYNC | os.O_WRONLY)"
        ),
        {REFUSED},
    ),
    "a signal by F_SETOWN_EX": (_refused("import fcntl\n" + PIPE + "fcntl.fcntl(PIPE, 15, b'x' * 8)"), {REFUSED}),
    "the parent's own pipes": (_opened("f'/proc/{os.getppid()}/fd/{end}' for end in range(10)"), {REFUSED}),
    "the pipes of its neighbours": (
        _opened(
            "f'/proc/{pid}/fd/{end}' for pid in range(max(1, os.getpid() - 150), os.getpid() + 20) if pid != os.getpid() for end in range(5)"
        ),
        {REFUSED},
    ),
    "its parent's folder and root": (
        _opened("f'/proc/{os.getppid()}/{what}' for what in ('cwd', 'root', 'exe', 'maps', 'environ', 'auxv', 'task')"),
        {REFUSED},
    ),
    "its group's terminal": (_opened("['/dev/tty', '/dev/console', '/dev/ptmx', '/dev/mem', '/dev/kmsg']"), {REFUSED}),
    "an orphan": (_refused("import os\nif os.fork() == 0:\n    os.setsid()\n    os.fork()"), {REFUSED}),
    "vfork by the C library": (LIBC + "\n" + _body("return 'held' if libc.vfork() == -1 else 'x'"), {REFUSED}),
    "every system call off the list": (
        LIBC
        + "\n"
        + _body(
            """
            probes = {335, 336}  # calls of the kernel's own probes, which end whoever else makes them
            others = set(range(600)) - LISTED - probes
            return [n for n in others if libc.syscall(n, 0, 0, 0, 0, 0, 0) != -1] or 'held'
            """
        ),
        {REFUSED},
    ),
    "a system call of another table": (
        LIBC + "\n" + _body("return libc.syscall(0x40000000 + 57)"),
        {"killed", REFUSED},
    ),
    "a system call by the 32-bit door": (
        "import ctypes, mmap, platform\n"
        + _body(
            r"""
            if platform.machine() != 'x86_64': return 'held'
            page = mmap.mmap(-1, 4096, prot=7)
            page.write(b'\xb8\x02\x00\x00\x00\xcd\x80\xc3')  # fork
            return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
            """
        ),
        {"killed"},
    ),
    "limits lowered": (_refused("import resource as r; r.setrlimit(r.RLIMIT_CPU, (0, 0))"), {REFUSED}),
    "limits of its parent": (
        _refused("import os, resource as r; r.prlimit(os.getppid(), r.RLIMIT_CPU, (0, 0))"),
        {REFUSED},
    ),
    "its priority": (_refused("import os; os.nice(-5)"), {REFUSED}),
    "a core of its own": (_refused("import os; os.sched_setaffinity(0, {0})"), {REFUSED}),
    # more of time and memory
    "deaf by a mask": (
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
        {"timeout"},
    ),
    "an interval timer": (_refused("import signal; signal.setitimer(signal.ITIMER_PROF, 1000)"), {REFUSED}),
    "deep in C": (
        "" + _body("x = ()\nfor _ in range(10**5): x = (x,)\nreturn hash(x)"),
        {"killed", "raised", "value", "memory", "timeout"},
    ),
    "close everything and stay": ("import os, time\nos.closerange(0, 300)\ntime.sleep(60)", {"timeout"}),
    "close everything and work": ("import os\nos.closerange(0, 300)\nwhile True: pass", {"timeout"}),
    "the same page a million times": (
        "import mmap\n" + _body("keep = []\nwhile True: keep.append(mmap.mmap(-1, 1 << 26))"),
        {"raised", "memory"},
    ),
    "a disk filled through an open file": (_refused("import os\n" + PIPE + "os.ftruncate(PIPE, 1 << 40)"), {REFUSED}),
    "all descriptors": (
        _refused("import os\n" + PIPE + "while True: os.dup(PIPE)"),
        {REFUSED},
    ),
    "a gigabyte on its standard output": (
        _body("import os\nfor _ in range(1000): os.write(1, b'x' * 10**6)\nreturn 1"),
        {"value", "timeout"},
    ),
    # more of what is outside
    "the secret in a file": (_refused("return open(SECRET_FILE).read()"), {REFUSED}),
    "the secret by the kept folder": (
        _refused("return open('/proc/self/fd/200/../../../../../../../..' + SECRET_FILE).read()"),
        {REFUSED},
    ),
    "the secret by a path only": (
        _refused("import os\nend = os.open(SECRET_FILE, os.O_PATH)\nreturn open(f'/proc/self/fd/{end}').read()"),
        {REFUSED},
    ),
    "the secret's folder": (_refused("import os; return os.listdir(os.path.dirname(SECRET_FILE))"), {REFUSED}),
    "the secret by import": (
        _refused("import os, sys\nsys.path.insert(0, os.path.dirname(SECRET_FILE))\nimport secret_module"),
        {REFUSED},
    ),
    "list the root": (
        _refused("import os; return os.listdir('/') if os.path.exists('/proc') else 1 / 0"),
        {REFUSED, "raised"},
    ),
    "list the kept folder's parents": (
        _refused("import os\nend = os.open('..', os.O_RDONLY, dir_fd=200)\nreturn os.listdir(end)"),
        {REFUSED},
    ),
    "write over the kept folder": (
        _refused("import os; os.open('json/__init__.py', os.O_WRONLY | os.O_TRUNC, dir_fd=200)"),
        {REFUSED},
    ),
    "a file without a name": (_opened("['/tmp', '/var/tmp', '/dev/shm', '/']", "os.O_TMPFILE | os.O_RDWR"), {REFUSED}),
    "a named pipe": (_refused("import os; os.mkfifo('/tmp/wrongcot-attack')"), {REFUSED}),
    "a name changed": (_refused("import os; os.rename(os.__file__, '/tmp/wrongcot-attack')"), {REFUSED}),
    "times changed": (_refused("import os; os.utime(os.__file__)"), {REFUSED}),
    "a System V memory": (
        LIBC + "\n" + _body("return 'held' if libc.shmget(0, 4096, 0o1600) == -1 else 'x'"),
        {REFUSED},
    ),
    "a named semaphore": (
        _refused("import _multiprocessing as m; m.SemLock(0, 1, 1, '/wrongcot-attack', False)"),
        {REFUSED},
    ),
    # records that it writes itself
    "a value by its own hand": (FORGE + "say(['ran'], ['value', 'forged'], ['end'])\nos._exit(0)", {"value"}),
    "an end before its time": (FORGE + _body("say(['end'])\nreturn 1"), {"exited"}),
    "more values than calls": (FORGE + _body("say(['value', 1], ['value', 1])\nreturn 1"), {"exited"}),
    "a record cut short": (FORGE + _body("os.write(PIPE, struct.pack('>I', 1 << 31))\nreturn 1"), {"exited"}),
    "a record that is no JSON": (FORGE + _body("raw(b'{' * 100)\nos._exit(0)"), {"exited"}),
    "a record nested without end": (FORGE + _body("raw(b'[' * 900_000)\nos._exit(0)"), {"exited"}),
    "a record in UTF-16": (FORGE + _body("raw('[\"value\", 1]'.encode('utf-16'))\nos._exit(0)"), {"exited"}),
    "a record of millions of digits": (
        FORGE + _body("raw(b'[\"value\", ' + b'9' * 10**6 + b']')\nos._exit(0)"),
        {"exited"},
    ),
    "a record with NaN": (FORGE + _body("raw(b'[\"value\", NaN]')\nos._exit(0)"), {"exited"}),
    "a record with a dict": (FORGE + _body("say(['value', {'a': 1}])\nos._exit(0)"), {"exited"}),
    "a record of an unknown word": (FORGE + _body("say(['pass', 1])\nos._exit(0)"), {"exited"}),
    "a record of an unknown type": (FORGE + _body("say(['value', ['eval', 'open']])\nos._exit(0)"), {"exited"}),
    "a set of lists": (FORGE + _body("say(['value', ['set', [['list', []]]]])\nos._exit(0)"), {"exited"}),
    "a set that all falls together": (
        FORGE + _body("say(['value', ['set', [['int', hex(n * (2**61 - 1))] for n in range(25_000)]]])\nos._exit(0)"),
        {"exited"},
    ),
    "a dict that all falls together": (
        FORGE
        + _body("say(['value', ['dict', [[['int', hex(n * (2**61 - 1))], 0] for n in range(25_000)]]])\nos._exit(0)"),
        {"exited"},
    ),
    "a fraction to be reduced": (
        FORGE + _body("say(['value', ['fraction', *(os.urandom(240_000).hex() for _ in 'ab')]])\nos._exit(0)"),
        {"exited"},
    ),
    "a fraction over nothing": (FORGE + _body("say(['value', ['fraction', '0x1', '0x0']])\nos._exit(0)"), {"exited"}),
    "a timeout that was none": (FORGE + _body("say(['memory'])\nos._exit(0)"), {"memory"}),
    "its own pipe read back": (
        _body("import os\nend = os.open('/proc/self/fd/3', os.O_RDONLY | os.O_NONBLOCK)\nreturn os.read(end, 99)"),
        {"raised", "exited", "value"},
    ),
    # more of its values and its ends
    "a list that lies": (
        "class L(list):\n    n = 0\n    def __iter__(self):\n        self.n += 1\n        return iter([self.n])\n"
        + _body("return L([1])"),
        {"value"},
    ),
    "a part that lies": (
        "class I(int): __eq__ = lambda *a: True\n" + _body("return [1, {'a': (I(1),)}]"),
        {"value"},
    ),
    "a bool that lies": (_body("import enum\nreturn enum.IntEnum('E', 'A').A"), {"value"}),
    "a class that lies of its name": (
        "class M(type):\n    __qualname__ = property(lambda c: exit(0))\nclass A(metaclass=M): pass\n"
        + _body("return A()"),
        {"unserialisable", "raised"},
    ),
    "an integer of a billion bits": (_body("return 1 << 10**9"), {"memory", "killed", "timeout"}),
    "a text of a billion shares": (_body("return ['x' * 10**6] * 10**5"), {"memory", "killed", "timeout"}),
    "half a character in what it raises": (_body("raise ValueError('\\ud800')"), {"raised"}),
    "the encoder's table rewritten": (
        "class A(list): __eq__ = lambda *a: True\nimport gc\n"
        + _body(
            """
            for table in gc.get_objects():
                if type(table) is dict and table.get(frozenset) == 'frozenset': table[A] = 'list'
            return A([1])
            """
        ),
        {"value", "unserialisable"},
    ),
    "another encoder": (
        "import sys\nf = sys._getframe()\nwhile f:\n    for v in f.f_locals.values():\n"
        "        if getattr(v, '__name__', '') == 'encode': v.__code__ = (lambda *a: ['list', [1]]).__code__\n"
        "    f = f.f_back\n" + _body("return object()"),
        {"exited", "value", "raised"},
    ),
    "its future calls rewritten": (
        "import sys\nf = sys._getframe()\nwhile f:\n    if 'job' in f.f_locals: f.f_locals['job']['calls'][:] = ['1', '2']\n"
        "    f = f.f_back\n" + _body("return 3"),
        {"exited", "value"},
    ),
    "back into its parent's loop": (
        "import sys\nf = sys._getframe()\nwhile f:\n    serve = f.f_globals.get('serve') or f.f_locals.get('serve')\n"
        "    f = f.f_back\nserve(b'', None, None)\n",
        {"exited", "raised"},
    ),
    "the runner's exit taken away": (
        "import os\nos._exit = lambda code: None\n" + _body("return 1"),
        {"value", "exited"},
    ),
    "an interrupt at every turn": (
        "import sys\ndef t(*a): raise KeyboardInterrupt\n" + _body("sys.settrace(t)\nreturn 1"),
        {"value", "raised", "exited"},
    ),
    "words at the exit": (
        FORGE + "import atexit\natexit.register(lambda: say(['value', 1], ['end']))\n" + _body("raise SystemExit(0)"),
        {"raised"},
    ),
    "PASS on every line": (
        _body("import sys\nprint('PASS\\n' * 100)\nprint('OK', file=sys.stderr)\nraise SystemExit"),
        {"raised"},
    ),
}
