#!/usr/bin/env python3
"""What a build costs: rows a second against a server, tokens a second in vLLM, tokens for a trace, memory.

    .venv/bin/python scripts/bench_build.py [SECTION ...] [--data FOLDER] [--distilabel PYTHON] [--json]

Sections, all of them by default:

  server   3,000 rows from a 50 ms stub server, 256 in flight: a bare aiohttp client, a build, distilabel
  vllm     256 Countdown prompts to SmolLM2-135M: a plain `LLM.chat`, a build
  tokens   tokens for an accepted trace on a pool of real replies: adaptive sampling beside a fixed number of replies
  memory   scripted builds of 20,000 and 200,000 samples: resident memory, time a sample

distilabel lives in an environment of its own; give its Python: `pip install 'distilabel[openai]'` there. Without it
that line is left out, as are sections whose data or packages are not there. Everything that is compared is measured in
one run; where something is timed several times, the tries alternate and the median counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

try:
    from wrongcot_data.engines.base import Engine, Opening
    from wrongcot_data.filling import Filling, Prompts, ask, fill
    from wrongcot_data.plan import Plan, make_plan, problems_of
    from wrongcot_data.pool.budget import Budget
    from wrongcot_data.pool.journal import Journal, Origin
    from wrongcot_data.pool.progress import Quotas, Seen
    from wrongcot_data.pool.sampler import Sampler
    from wrongcot_data.records import Grade
    from wrongcot_data.spec import make_spec
    from wrongcot_data.teachers.prompting import render
except ImportError:
    sys.exit("wrongcot is not installed for this Python; try: .venv/bin/python scripts/bench_build.py")

N_ROWS, IN_FLIGHT, LATENCY_MS = 3000, 256, 50
N_PROMPTS = 256
TRIES = 3


class Missing(Exception):
    """Something a section needs is not there."""


@dataclass
class Clocked:
    """An engine kind that notes when its engine was ready, so that loading a model is not counted."""

    kind: Any
    ready: float = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.kind, name)

    def open(self, opening: Opening) -> Engine:
        engine: Engine = self.kind.open(opening)
        self.ready = time.perf_counter()
        return engine


def filled(plan: Plan, problems: Any, journal: Path) -> tuple[float, int, int]:
    """Ask, grade and store one reply a problem. Returns seconds, replies and tokens."""
    clocked = Clocked(plan.engine)
    revision = plan.engine.revision(plan.teacher, plan.engine_options)
    budget = Budget(lambda: False, minutes=None, tokens=None, reply_tokens=plan.sampling.max_tokens)
    told = [0, 0]

    def report(_done: int, _all: int, samples: int, tokens: int) -> None:
        told[:] = samples, tokens

    with Journal(journal) as kept:
        prompts = Prompts(plan)
        asked = ask(plan, problems, revision, prompts)
        fill(Filling(replace(plan, engine=clocked), asked, prompts, kept, Origin(), report, budget))
        seconds = time.perf_counter() - clocked.ready
    return seconds, told[0], told[1]


# --- server


@contextmanager
def stub_server() -> Iterator[str]:
    command = [sys.executable, str(ROOT / "tests" / "stub_server.py"), "--port", "0", "--latency-ms", str(LATENCY_MS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def bare_client(url: str, bodies: list[bytes]) -> float:
    """Seconds of an aiohttp client that does nothing but send the same requests and read the replies."""
    import asyncio

    import aiohttp

    async def run() -> None:
        free = asyncio.Semaphore(IN_FLIGHT)
        connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def one(body: bytes) -> None:
                headers = {"Content-Type": "application/json"}
                async with free, session.post(f"{url}/v1/chat/completions", data=body, headers=headers) as reply:
                    json.loads(await reply.read())["choices"][0]["message"]["content"]

            await asyncio.gather(*map(one, bodies))

    began = time.perf_counter()
    asyncio.run(run())
    return time.perf_counter() - began


DISTILABEL = """
import json, sys, time
from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration

url, count = sys.argv[1], int(sys.argv[2])
rows = json.load(sys.stdin)[:count]
with Pipeline("bench") as pipeline:
    load = LoadDataFromDicts(data=[{"instruction": row} for row in rows], batch_size=500)
    write = TextGeneration(
        llm=OpenAILLM(model="stub", base_url=url + "/v1", api_key="none",
                      generation_kwargs={"max_new_tokens": 256, "temperature": 0.8}),
        input_batch_size=500,
    )
    load >> write
if __name__ == "__main__":
    began = time.perf_counter()
    made = pipeline.run(use_cache=False)
    seconds = time.perf_counter() - began
    made = made["default"]["train"]
    assert len(made) == count and all(made["generation"]), "rows are missing"
    print(json.dumps({"seconds": seconds}))
"""


def distilabel(python: str, url: str, prompts: list[str]) -> float:
    """Rows a second of distilabel over the same prompts, its start not counted: a tenth of them is asked first."""
    few = prompts[: len(prompts) // 10]
    return (len(prompts) - len(few)) / (_distilabel_s(python, url, prompts) - _distilabel_s(python, url, few))


def _distilabel_s(python: str, url: str, prompts: list[str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "bench.py"
        script.write_text(DISTILABEL)
        done = subprocess.run(
            [python, str(script), url, str(len(prompts))],
            input=json.dumps(prompts), capture_output=True, text=True, check=False, cwd=folder,
            env={**os.environ, "PYTHONPATH": "", "HF_HUB_OFFLINE": "1"},
        )  # fmt: skip
    if done.returncode:
        raise Missing(f"distilabel failed: {done.stderr.strip().splitlines()[-1]}")
    seconds: float = json.loads(done.stdout.strip().splitlines()[-1])["seconds"]
    return seconds


def server(options: argparse.Namespace) -> dict[str, Any]:
    """Rows a second from one 50 ms server."""
    with stub_server() as url, tempfile.TemporaryDirectory() as folder:
        engine = {"base_urls": [url], "model": "stub", "in_flight": IN_FLIGHT}
        fields = {"task": "countdown", "teacher": "gemma-9b", "engine": "server", "engine_options": engine}
        spec = make_spec({**fields, "limit": N_ROWS, "max_attempts": 1, "variants": ["wrong"], "give_up_below": 0})
        plan = make_plan(spec)
        problems = problems_of(plan)
        prompts = [render(plan.task, problem, plan.style, plan.teacher.shots) for problem in problems]
        bodies = [
            json.dumps(
                {
                    "model": "stub", "max_tokens": plan.sampling.max_tokens, "temperature": 0.8, "top_p": 0.95,
                    "messages": [{"role": turn.role, "content": turn.content} for turn in prompt.messages],
                }
            ).encode()
            for prompt in prompts
        ]  # fmt: skip
        bare, ours = [], []
        for number in range(TRIES):
            bare.append(N_ROWS / bare_client(url, bodies))
            seconds, replies, _ = filled(plan, problems, Path(folder) / f"{number}.sqlite")
            assert replies == N_ROWS
            ours.append(replies / seconds)
        found: dict[str, Any] = {
            "bare aiohttp, rows/s": [round(rate) for rate in bare],
            "build, rows/s": [round(rate) for rate in ours],
            "build to bare aiohttp": round(median(ours) / median(bare), 3),
        }
        if options.distilabel:
            rate = distilabel(options.distilabel, url, [prompt.messages[-1].content for prompt in prompts])
            found |= {"distilabel, rows/s": round(rate, 1), "build to distilabel": round(median(ours) / rate, 1)}
        else:
            found["distilabel"] = "left out: no --distilabel PYTHON"
    return found


# --- vllm


def vllm(_options: argparse.Namespace) -> dict[str, Any]:
    """Output tokens a second of SmolLM2-135M, each in a process of its own, plain and build by turns."""
    import importlib.util

    if importlib.util.find_spec("vllm") is None:
        raise Missing("vllm is not installed")
    plain, ours = [], []
    for _ in range(2):
        for which, rates in (("plain", plain), ("build", ours)):
            command = [sys.executable, __file__, "--one-vllm", which]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Missing(f"{which}: {done.stderr.strip().splitlines()[-1]}")
            rates.append(json.loads(done.stdout.strip().splitlines()[-1])["tokens_per_s"])
    return {
        "LLM.chat, tokens/s": [round(rate, 1) for rate in plain],
        "build, tokens/s": [round(rate, 1) for rate in ours],
        "build to LLM.chat": round(median(ours) / median(plain), 3),
    }


def one_vllm(which: str) -> None:
    """One measurement, in this process: tokens a second without the start of the engine."""
    fields = {"task": "countdown", "teacher": "smollm2-135m", "engine": "vllm", "prompt": "chat-zero"}
    limits = {"limit": N_PROMPTS, "max_attempts": 1, "variants": ["wrong"], "give_up_below": 0}
    plan = make_plan(make_spec({**fields, **limits, "sampling": {"max_tokens": 128}}))
    problems = problems_of(plan)
    if which == "build":
        with tempfile.TemporaryDirectory() as folder:
            seconds, _, tokens = filled(plan, problems, Path(folder) / "j.sqlite")
    else:
        seconds, tokens = plain_chat(plan, problems)
    print(json.dumps({"tokens_per_s": tokens / seconds}))


def plain_chat(plan: Plan, problems: Any) -> tuple[float, int]:
    """Seconds and tokens of one `LLM.chat` call with the engine settings that a build would use."""
    from wrongcot_data.engines.vllm import engine_arguments
    from wrongcot_data.engines.vllm_processes import environment
    from wrongcot_data.teachers.weights import find_weights

    options: Any = plan.engine_options
    arguments = engine_arguments(options, find_weights(plan.teacher).folder)
    del arguments["worker_extension_cls"]  # watches our process, and changes nothing else
    from vllm import LLM, SamplingParams

    with environment(1):
        llm = LLM(**arguments)
    drawn = SamplingParams(
        temperature=plan.sampling.temperature, top_p=plan.sampling.top_p, max_tokens=plan.sampling.max_tokens,
        stop=list(plan.task.stop), include_stop_str_in_output=True,
    )  # fmt: skip
    prompts = [render(plan.task, problem, plan.style, plan.teacher.shots) for problem in problems]
    turns: Any = [[{"role": turn.role, "content": turn.content} for turn in prompt.messages] for prompt in prompts]
    began = time.perf_counter()
    outputs = llm.chat(turns, drawn, use_tqdm=False)
    return time.perf_counter() - began, sum(len(output.outputs[0].token_ids) for output in outputs)


# --- tokens

Hand = list[tuple[Grade, int]]
"""Ten replies to a problem: grade and length."""

GAME24: dict[str, Grade] = {"ok": "correct", "wrong_value": "wrong", "wrong_numbers": "wrong"}
ATTEMPTS = 10


def tokens(options: argparse.Namespace) -> dict[str, Any]:
    """500 problems of ten real replies each: GPT-4's 100 replies to each of 50 puzzles, dealt into ten hands.

    One right and one wrong trace is wanted of each. A fixed number of replies a problem makes a curve of traces over
    tokens; adaptive sampling is compared where the curve has its number of traces (between two points on a line).
    """
    path = options.data / "game24" / "gpt4_cot_900_949.jsonl"
    if not path.is_file():
        raise Missing("game24/gpt4_cot_900_949.jsonl is not there")
    replies: dict[int, Hand] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        reply: tuple[Grade, int] = (GAME24.get(row["verify_reason"], "no_answer"), len(row["trace"]))
        replies[row["idx"]] += [reply] * row["count"]
    default = make_spec({"task": "countdown"})
    found: dict[str, Any] = {}
    for room in (64, 256):
        for give_up in (0.0, default.give_up_below):
            quotas = Quotas({"correct": 1, "wrong": 1}, ATTEMPTS, give_up, default.ask_ahead)
            results = [one_deal(replies, quotas, room, seed) for seed in range(5)]
            found[f"engine of {room}, give_up_below {give_up}"] = {
                "tokens a trace to fixed k": [round(ratio, 3) for ratio, _, _ in results],
                "traces": [traces for _, traces, _ in results],
                "replies": [count for _, _, count in results],
            }
    return found


def one_deal(replies: dict[int, Hand], quotas: Quotas, room: int, seed: int) -> tuple[float, int, int]:
    rng = Random(seed)
    hands: list[Hand] = []
    for one in replies.values():
        dealt = rng.sample(one, len(one))
        hands += [dealt[start : start + ATTEMPTS] for start in range(0, len(dealt), ATTEMPTS)]
    rng.shuffle(hands)
    cost, traces, count = adaptive(hands, quotas, room, rng)
    curve = [fixed(hands, k) for k in range(1, ATTEMPTS + 1)]
    for (cost_0, traces_0), (cost_1, traces_1) in pairwise(curve):
        if traces_0 <= traces <= traces_1:
            equal = cost_0 + (cost_1 - cost_0) * (traces - traces_0) / max(1, traces_1 - traces_0)
            return cost / equal, traces, count
    raise Missing(f"{traces} traces are off the curve of fixed k")


def fixed(hands: list[Hand], k: int) -> tuple[int, int]:
    """Cost and traces of k replies to every problem."""
    kept = sum(len({grade for grade, _ in hand[:k]} & {"correct", "wrong"}) for hand in hands)
    return sum(length for hand in hands for _, length in hand[:k]), kept


def adaptive(hands: list[Hand], quotas: Quotas, room: int, rng: Random) -> tuple[int, int, int]:
    """Cost, traces and replies of the sampler that builds use; replies come back in any order."""
    sampler = Sampler(quotas, ["4 numbers"] * len(hands))
    in_flight: list[tuple[int, int]] = []
    kept: list[set[str]] = [set() for _ in hands]
    cost = count = 0
    while True:
        in_flight += sampler.next(room - len(in_flight))
        if not in_flight:
            return cost, sum(len(one & {"correct", "wrong"}) for one in kept), count
        problem, attempt = in_flight.pop(rng.randrange(len(in_flight)))
        grade, length = hands[problem][attempt]
        kept[problem].add(grade)
        cost, count = cost + length, count + 1
        sampler.record(problem, attempt, Seen(grade))


# --- memory


def memory(_options: argparse.Namespace) -> dict[str, Any]:
    """Scripted builds through the command line: peak resident memory and time a sample."""
    found: dict[str, Any] = {}
    for asked in (20_000, 200_000):
        with tempfile.TemporaryDirectory() as folder:
            # one wrong trace a problem takes 2.2 replies of the scripted teacher
            command = [
                sys.executable, "-m", "wrongcot_data", "build", "countdown", "--teacher", "scripted", "--limit",
                str(int(asked / 2.2)), "--variant", "wrong", "--out", f"{folder}/d", "--journal", f"{folder}/j.sqlite",
                "--json",
            ]  # fmt: skip
            began = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            assert process.stdout
            receipt = json.loads(process.stdout.read())["receipt"]
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
            assert status == 0
            assert receipt["balanced"]
        samples = sum(receipt["samples"].values())
        found[f"{asked} asked"] = {
            "samples": samples,
            "resident MB": round(usage.ru_maxrss / 1024),
            "ms a sample": round(1000 * seconds / samples, 3),
        }
    small, large = found.values()
    found["time a sample, large to small"] = round(large["ms a sample"] / small["ms a sample"], 3)
    return found


SECTIONS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "server": server,
    "vllm": vllm,
    "tokens": tokens,
    "memory": memory,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--distilabel", metavar="PYTHON", help="the Python of an environment with distilabel")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one-vllm", choices=["plain", "build"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one_vllm:
        one_vllm(options.one_vllm)
        return
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {sorted(unknown)[0]!r}; there are {', '.join(SECTIONS)}")
    found: dict[str, Any] = {"machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores"}
    for name in options.sections or SECTIONS:
        try:
            found[name] = SECTIONS[name](options)
        except Missing as fault:
            found[name] = {"left out": str(fault)}
        if not options.json:
            print(f"\n{name}\n{json.dumps(found[name], indent=2)}", flush=True)
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
