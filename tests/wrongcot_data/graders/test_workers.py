"""Workers: killed, stuck, silent or too talkative, each request gets its answer and the next one a fresh worker."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from wrongcot_data.graders.workers import WorkerPool

WORKER = """
import os, signal, struct, sys, time
def read(n):
    data = b""
    while len(data) < n:
        part = os.read(0, n - len(data))
        if not part:
            sys.exit()
        data += part
    return data
def reply(data):
    os.write(1, struct.pack(">I", len(data)))
    while data:
        data = data[os.write(1, data):]
while True:
    request = read(struct.unpack(">I", read(4))[0])
    word, _, rest = request.partition(b" ")
    if word == b"echo":
        reply(rest)
    elif word == b"pid":
        reply(str(os.getpid()).encode())
    elif word == b"spin":
        signal.setitimer(signal.ITIMER_PROF, 0.1)
        while True: pass
    elif word == b"sleep":
        time.sleep(60)
    elif word == b"exit":
        os._exit(3)
    elif word == b"once":  # dies the first time, for a reason of its own
        if os.path.exists(rest): reply(b"second time")
        else:
            open(rest, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
    elif word == b"long":
        os.write(1, struct.pack(">I", 1 << 30))
        time.sleep(60)
    elif word == b"half":
        os.write(1, b"\\0")
        os._exit(0)
"""


@pytest.fixture
def pool():
    made = WorkerPool(
        lambda: subprocess.Popen([sys.executable, "-ISc", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE), 2
    )
    yield made
    made.close()


def test_a_reply_comes_back_whole_however_long(pool):
    text = os.urandom(3_000_000)
    assert pool.ask(b"echo " + text, 30).reply == text


def test_a_worker_is_used_again(pool):
    assert pool.ask(b"pid", 30).reply == pool.ask(b"pid", 30).reply


def test_its_own_cpu_timer_is_a_cpu_limit_and_no_second_try(pool):
    answer = pool.ask(b"spin", 30)
    assert (answer.fault, answer.detail) == ("cpu limit", "SIGPROF")


def test_silence_is_a_wall_limit(pool):
    assert pool.ask(b"sleep", 0.3).fault == "wall limit"
    assert pool.ask(b"echo hi", 30).reply == b"hi"


@pytest.mark.parametrize(("request_", "detail"), [(b"exit", "exit code 3"), (b"half", "exit code 0")])
def test_a_worker_that_dies_twice_is_a_fault_of_that_request_only(pool, request_, detail):
    answer = pool.ask(request_, 30)
    assert (answer.fault, answer.detail) == ("died", detail)
    assert pool.ask(b"echo hi", 30).reply == b"hi"


def test_a_reply_too_long_is_refused_before_it_is_read(pool):
    assert pool.ask(b"long", 30).detail == "reply too long"


def test_a_worker_killed_once_costs_nothing(pool, tmp_path):
    assert pool.ask(b"once " + str(tmp_path / "mark").encode(), 30).reply == b"second time"


def test_a_worker_killed_from_outside_while_free_is_replaced(pool):
    first = int(pool.ask(b"pid", 30).reply)
    os.kill(first, signal.SIGKILL)
    assert int(pool.ask(b"pid", 30).reply) != first


def test_a_worker_that_is_stopped_cannot_hold_up_its_caller(pool):
    os.kill(int(pool.ask(b"pid", 30).reply), signal.SIGSTOP)
    assert pool.ask(b"echo " + bytes(1_000_000), 0.5).fault == "wall limit"


def test_many_threads_share_two_workers_and_get_their_own_replies(pool):
    with ThreadPoolExecutor(16) as threads:
        replies = list(threads.map(lambda n: pool.ask(b"echo %d" % n, 30).reply, range(500)))
    assert replies == [b"%d" % n for n in range(500)]


def test_it_works_outside_the_main_thread(pool):
    found = []
    thread = threading.Thread(target=lambda: found.append(pool.ask(b"spin", 30).fault))
    thread.start()
    thread.join()
    assert found == ["cpu limit"]


def test_a_forked_process_has_workers_of_its_own(pool):
    mine = int(pool.ask(b"pid", 30).reply)
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write_end, pool.ask(b"pid", 30).reply)
        pool.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert int(os.read(read_end, 20)) != mine
    assert int(pool.ask(b"pid", 30).reply) == mine


def test_closing_leaves_no_process(pool):
    pid = int(pool.ask(b"pid", 30).reply)
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_worker_that_cannot_be_started_is_a_fault_of_its_request():
    starts = []

    def start():
        starts.append(1)
        return subprocess.Popen(["/no/such/program"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    answer = WorkerPool(start, 1).ask(b"echo hi", 30)
    assert (answer.reply, answer.fault) == (b"", "died")
    assert "cannot be started" in answer.detail
    assert len(starts) == 2


@pytest.mark.parametrize(("program", "fault"), [("exit 3", "died"), ("sleep 60", "wall limit")])
def test_a_worker_that_does_not_answer_the_greeting_is_a_fault_of_its_request(program, fault, monkeypatch):
    monkeypatch.setattr("wrongcot_data.graders.workers.START_S", 0.3)
    started = []

    def start():
        started.append(subprocess.Popen(["sh", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        return started[-1]

    assert WorkerPool(start, 1, b"hello").ask(b"echo hi", 30).fault == fault
    assert all(worker.poll() is not None for worker in started)


def test_the_greeting_is_the_first_request_of_every_worker():
    command = [sys.executable, "-ISc", WORKER]
    greeted = WorkerPool(lambda: subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE), 1, b"echo")
    assert greeted.ask(b"echo 1", 30).reply == b"1"
    assert greeted.ask(b"exit", 30).fault == "died"
    assert greeted.ask(b"echo 2", 30).reply == b"2"
    greeted.close()
