"""The processes that vLLM starts: what they inherit, what they write, how they end."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
from collections.abc import Iterable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO, Any

from wrongcot_data.errors import Unavailable

QUIET = {
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",  # stdout is for what a command was asked for
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_DO_NOT_TRACK": "1",
    "DO_NOT_TRACK": "1",
}
"""Set before vLLM is imported, where the user has not: nothing leaves the machine, and no fifty lines at a start."""

CACHE_MOST = 4 << 30
CACHE_LEAST = 64 << 20
"""Bytes of a CPU's key-value cache. More than the most is seldom filled by a model small enough for a CPU."""

PARENT = "WRONGCOT_VLLM_PARENT"
"""Tells vLLM's workers which process opened the engine."""

CAUSE = re.compile(r"^(?:\([^)]*\) )?(?:ERROR .*?\] )?(?:\w+\.)*\w*(?:Error|Exception): (.+)$", re.MULTILINE)
FOLLOWS = "Engine core initialization failed"


@contextlib.contextmanager
def environment(workers: int) -> Iterator[None]:
    """Environment variables for vLLM's start, all put back after it; what the user set stays.

    vLLM itself sets some that would spoil other children, such as `LD_PRELOAD`.
    """
    before = dict(os.environ)
    cores = sorted(os.sched_getaffinity(0))
    os.environ[PARENT] = str(os.getpid())
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # waiting threads that spin starve everything else
    if "VLLM_CPU_OMP_THREADS_BIND" not in before:
        if workers == 1:
            # One process less to start (15 s of imports): the worker lives in the core's. vLLM then neither binds
            # threads nor counts cores; all cores unbound are as fast, and share a busy machine better.
            os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
            os.environ["OMP_NUM_THREADS"] = str(len(cores))
        else:  # its default leaves a core out and wants a NUMA node for each worker
            shares = [cores[rank::workers] or cores for rank in range(workers)]
            os.environ["VLLM_CPU_OMP_THREADS_BIND"] = "|".join(",".join(map(str, share)) for share in shares)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def children_apart(log: IO[bytes]) -> Iterator[None]:
    """Child processes started here write to `log`, and Ctrl-C does not reach them.

    Whoever presses it wants the build to finish what is in flight, and for that the core must live on. What this
    process itself prints meanwhile goes where it always went. Nothing is redirected where the user asked for vLLM's
    log (`VLLM_LOGGING_LEVEL`).
    """
    resource_tracker.ensure_running()  # starting it lets SIGINT through again, so it must run before
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # children inherit it from this thread
    quiet = os.environ.get("VLLM_LOGGING_LEVEL") == QUIET["VLLM_LOGGING_LEVEL"]
    try:
        with _descriptors_to(log) if quiet else contextlib.nullcontext():
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextlib.contextmanager
def _descriptors_to(log: IO[bytes]) -> Iterator[None]:
    streams = {1: "stdout", 2: "stderr"}
    saved = {number: os.dup(number) for number in streams}
    ours: dict[str, Any] = {}
    try:
        for number, name in streams.items():
            stream = getattr(sys, name)
            stream.flush()
            with contextlib.suppress(OSError, ValueError, AttributeError):  # a stand-in for the stream has no number
                if stream.fileno() == number:
                    ours[name] = stream
                    setattr(sys, name, os.fdopen(os.dup(number), "w", buffering=1, encoding=stream.encoding))
            os.dup2(log.fileno(), number)
        yield
    finally:
        for number, copy in saved.items():
            os.dup2(copy, number)
            os.close(copy)
        for name, stream in ours.items():
            getattr(sys, name).close()
            setattr(sys, name, stream)


def end_children(children: Iterable[BaseProcess]) -> None:
    """Kill those that still run."""
    for child in children:
        with contextlib.suppress(ValueError):  # one that was closed
            if child.is_alive():
                child.kill()
                child.join(timeout=5)


def kv_cache_bytes(folder: Path, copies: int) -> int:
    """A key-value cache that fits beside the model in what memory is free now: half of that, at most 4 GiB.

    Raises:
        Unavailable: the weights alone do not fit, or hardly.
    """
    from vllm.utils.cpu_resource_utils import get_memory_node_info, get_visible_memory_node

    free = get_memory_node_info(get_visible_memory_node()[0]).available_memory // copies
    weights = 2 * sum(file.stat().st_size for file in folder.glob("*.safetensors"))  # bfloat16 grows to float32
    room = min(CACHE_MOST, (free - weights) // 2)
    if room < CACHE_LEAST:
        raise Unavailable(
            f"{free / 1e9:.1f} GB of memory are free; the model takes up to {weights / 1e9:.1f} GB and needs a cache",
            try_=["--teacher NAME    (a smaller one)", "--engine transformers"],
        )
    return room


def first_line(error: BaseException) -> str:
    """An error's story in one line: what pydantic's says in its second or third, else the first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    value = next((line for line in lines if line.startswith("Value error, ")), "")
    return value.removeprefix("Value error, ").split(" [type=")[0] or (lines[0] if lines else type(error).__name__)


def root_cause(error: BaseException, log: IO[bytes]) -> str:
    """Why vLLM failed, in one line: the first error that its processes logged, else what this process was told."""
    log.seek(max(0, log.seek(0, os.SEEK_END) - (1 << 20)))
    told = first_line(error)
    for match in CAUSE.finditer(log.read().decode(errors="replace")):
        if FOLLOWS not in match[1]:
            return match[1].strip()
    return told
