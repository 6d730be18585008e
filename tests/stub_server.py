"""A stand-in for an OpenAI-compatible server on loopback, with every fault one may have. Light: a raw asyncio protocol.

As a program: `python tests/stub_server.py --port 0 --latency-ms 50` prints its address and serves until it is killed.
Replies follow from the prompt and the seed alone: about 500 characters that end in an answer a Countdown grader can
judge, from the numbers of the last puzzle in the prompt.

What it is told by `POST /stub` with a JSON object (or by the flags of the same names) holds from the next request on:

| setting | meaning |
|---|---|
| latency_ms | between a request and its reply |
| refuse | status for every request for a reply, such as 429; 0: none |
| refusals | how many times `refuse` holds, then never; -1: always |
| headers | more headers for what is refused, such as `Retry-After` |
| message | what the error says |
| break | share of requests (by their content) that get garbage, are cut in mid-body, or are left without an answer |
| how | `garbage`, `shape`, `empty`, `null`, `cut`, `silent`, `filter`, \
`endless` (a body without end), `bomb` (a reply packed small that is large); for what `break` chose |
| once | `break` holds only for the first time that a request is asked |
| mute | also the list of models is left without an answer |
| most | requests at once; more are refused with 429 |
| vllm | speaks vLLM's dialect |
| models | what it lists; none: 404 |
| seeds | false: a request with a seed is refused with 400 |
| usage | false: no counts of tokens |
| key | the key it wants |

`GET /stub` gives counts: requests, replies, the most at once, and how often each prompt and seed was replied to.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import hashlib
import json
import re
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

DEFAULTS: dict[str, Any] = {
    "latency_ms": 0.0,
    "refuse": 0,
    "refusals": -1,
    "headers": {},
    "message": "",
    "break": 0.0,
    "how": "garbage",
    "once": False,
    "mute": False,
    "most": 0,
    "vllm": True,
    "models": ["google/gemma-2-9b-it", "HuggingFaceTB/SmolLM2-135M-Instruct", "stub"],
    "seeds": True,
    "usage": True,
    "key": "",
}

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


class Stub:
    """The server's settings, counts and answers."""

    def __init__(self, **settings: Any) -> None:
        self.settings = {**DEFAULTS, **settings}
        self.requests = 0
        self.at_once = 0
        self.most_at_once = 0
        self.replies: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []

    def counts(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "replies": self.replies.total(),
            "twice": sum(1 for count in self.replies.values() if count > 1),
            "most_at_once": self.most_at_once,
            "last": self.bodies[-1] if self.bodies else None,
        }

    def page(self, method: str, path: str, headers: dict[str, str], raw: bytes) -> tuple[int, Any]:
        """Everything but replies: status and what to say."""
        if path == "/stub":
            if method == "POST":
                self.settings |= json.loads(raw)
            return 200, self.counts()
        if path == "/version" and self.settings["vllm"]:
            return 200, {"version": "0.32.0"}
        if not path.startswith("/v1/"):
            return 404, {"detail": "Not Found"}
        if self.settings["key"] and headers.get("authorization") != f"Bearer {self.settings['key']}":
            # some servers repeat the key, and so does this one
            said = f"Incorrect API key provided: {headers.get('authorization', 'none')}"
            return 401, {"error": {"message": said, "type": "invalid_request_error"}}
        if path == "/v1/models" and self.settings["models"]:
            owner = "vllm" if self.settings["vllm"] else "stub"
            return 200, {"data": [{"id": name, "owned_by": owner} for name in self.settings["models"]]}
        return 404, {"detail": "Not Found"}

    def refusal(self, asked: dict[str, Any]) -> tuple[int, Any] | None:
        """Why a request gets no reply, if that is told."""
        told = self.settings
        if told["refuse"] and told["refusals"] != 0:
            told["refusals"] -= told["refusals"] > 0
            return told["refuse"], {"error": {"message": told["message"] or "told to", "code": told["refuse"]}}
        if told["most"] and self.at_once > told["most"]:
            return 429, {"error": {"message": "too many at once"}}
        if not told["seeds"] and "seed" in asked:
            return 400, {"error": {"message": "per-request seed is not supported on this device", "code": 400}}
        if told["models"] and asked.get("model") not in told["models"]:
            return 404, {"error": {"message": f"The model `{asked.get('model')}` does not exist.", "code": 404}}
        return None

    def broken(self, key: str) -> bool:
        """Whether this request is one of those that `break` chose."""
        share = int(key[:8], 16) / 2**32
        return share < self.settings["break"] and not (self.settings["once"] and self.asked[key] > 1)

    def reply(self, asked: dict[str, Any], key: str) -> dict[str, Any]:
        chat = "messages" in asked
        prompt = asked["messages"][-1]["content"] if chat else asked["prompt"]
        text = write(prompt, int(key[:12], 16))
        for stop in asked.get("stop") or []:
            if stop in text:
                text = text[: text.index(stop) + len(stop)]
        how = self.settings["how"] if self.broken(key) else ""
        content = None if how == "null" else text
        finish = "content_filter" if how == "filter" else "stop"
        choice: dict[str, Any] = {"index": 0, "finish_reason": finish}
        choice |= {"message": {"role": "assistant", "content": content}} if chat else {"text": content}
        most = asked.get("max_tokens") or asked["max_completion_tokens"]
        usage = {"prompt_tokens": len(prompt) // 4 + 1, "completion_tokens": min(len(text) // 4 + 1, most)}
        value: dict[str, Any] = {"id": "stub", "model": asked["model"], "choices": [choice]}
        return value | ({"usage": usage} if self.settings["usage"] else {})


PUZZLE = re.compile(r"([Uu]se|of the numbers) ((?:\d+, )*\d+)(?: exactly once)? to make (\d+)")


def write(prompt: str, draw: int) -> str:
    """A trace for the last puzzle in a prompt: its numbers in some order, with some signs; most are wrong."""
    found = PUZZLE.findall(prompt)
    nums = [int(one) for one in found[-1][1].split(", ")] if found else [draw % 97, draw % 89]
    target = found[-1][2] if found else "something"
    turn = draw % len(nums)
    nums = nums[turn:] + nums[:turn]
    signs = ["+-*"[draw // 7 // 3**place % 3] for place in range(len(nums))]
    line = str(nums[0]) + "".join(f" {sign} {number}" for sign, number in zip(signs, nums[1:], strict=False))
    thought = f"I have {', '.join(map(str, nums))} and want {target} (draw {draw % 10**6}). "
    padding = "Let me try one way after the other and see where each of them leads before I answer. " * 4
    return f"{thought}{padding}{nums[0]} + {nums[-1]} = {nums[0] + nums[-1]}. So {line} it is.\n<answer>{line}</answer>"


class Connection(asyncio.Protocol):
    """One connection: requests in, answers out, one after the other."""

    def __init__(self, stub: Stub) -> None:
        self.stub = stub
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            self.serve(*first.split(" ")[:2], headers, rest[:length])

    def serve(self, method: str, path: str, headers: dict[str, str], raw: bytes) -> None:
        stub = self.stub
        if path not in ("/v1/chat/completions", "/v1/completions") or method != "POST":
            if not (stub.settings["mute"] and path != "/stub"):
                self.send(*stub.page(method, path, headers, raw))
            return
        if stub.settings["key"] and headers.get("authorization") != f"Bearer {stub.settings['key']}":
            self.send(*stub.page(method, path, headers, raw))
            return
        asked = json.loads(raw)
        stub.requests += 1
        stub.bodies[:] = [asked]
        content = json.dumps([asked.get("messages"), asked.get("prompt"), asked.get("seed")])
        key = hashlib.blake2b(content.encode()).hexdigest()
        stub.at_once += 1
        stub.most_at_once = max(stub.most_at_once, stub.at_once)
        refused = stub.refusal(asked)
        if refused:
            stub.at_once -= 1
            self.send(*refused, stub.settings["headers"])
            return
        stub.asked[key] += 1
        how = stub.settings["how"] if stub.broken(key) else ""
        if how == "silent" or stub.settings["mute"]:
            return
        wait = stub.settings["latency_ms"] / 1000
        loop = asyncio.get_running_loop()
        if wait:
            loop.call_later(wait, self.answer, asked, key, how)
        else:
            self.answer(asked, key, how)

    def answer(self, asked: dict[str, Any], key: str, how: str) -> None:
        stub = self.stub
        stub.at_once -= 1
        if self.transport.is_closing():
            return
        if how == "garbage":
            self.send(200, None, body=b"<html>oops</html>")
        elif how == "shape":
            self.send(200, {"choices": {"text": 1}})
        elif how == "empty":
            self.send(200, {"choices": []})
        elif how == "endless":
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            self.transport.write(head + (b"100000\r\n" + b" " * 0x100000 + b"\r\n") * 20)
        elif how == "bomb":
            packed = gzip.compress(b" " * (20 << 20) + json.dumps(stub.reply(asked, key)).encode(), 1)
            self.send(200, None, {"Content-Encoding": "gzip"}, packed)
        elif how == "cut":
            whole = json.dumps(stub.reply(asked, key)).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(whole) + whole[:100])
            self.transport.close()
        else:
            if not how:
                stub.replies[key] += 1
            self.send(200, stub.reply(asked, key))

    def send(self, status: int, value: Any, more: dict[str, str] | None = None, body: bytes | None = None) -> None:
        content = json.dumps(value).encode() if body is None else body
        lines = "".join(f"{name}: {text}\r\n" for name, text in (more or {}).items())
        head = f"HTTP/1.1 {status} {REASONS.get(status, 'Error')}\r\nContent-Type: application/json\r\n{lines}"
        self.transport.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)


class StubThread:
    """A stub in a thread of its own, for tests. `set` and `counts` as over HTTP; `stop` drops every connection."""

    def __init__(self, port: int = 0, **settings: Any) -> None:
        self.stub = Stub(**settings)
        self._loop = asyncio.new_event_loop()
        self._connections: list[Connection] = []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(port), self._loop).result()
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def _listen(self, port: int) -> asyncio.Server:
        def connected() -> Connection:
            self._connections.append(Connection(self.stub))
            return self._connections[-1]

        return await asyncio.get_running_loop().create_server(connected, "127.0.0.1", port, backlog=1024)

    def set(self, **settings: Any) -> None:
        self.stub.settings |= settings

    def counts(self) -> dict[str, Any]:
        return self.stub.counts()

    def stop(self) -> None:
        async def drop() -> None:
            self._server.close()
            for connection in self._connections:
                connection.transport.abort()

        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(drop(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()


class StubProcess:
    """A stub in a process of its own, which can be killed, and started again at the same address."""

    def __init__(self, port: int = 0, **settings: Any) -> None:
        command = [sys.executable, __file__, "--port", str(port), "--settings", json.dumps(settings)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()
        self.port = int(self.url.rpartition(":")[2])

    def set(self, **settings: Any) -> None:
        urllib.request.urlopen(f"{self.url}/stub", json.dumps(settings).encode(), timeout=10).close()

    def counts(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/stub", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


async def serve(port: int, settings: dict[str, Any]) -> None:
    stub = Stub(**settings)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(stub), "127.0.0.1", port, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(prog=Path(__file__).name, description="An OpenAI-compatible server for tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--settings", type=json.loads, default={}, help="JSON object; see the table in this file")
    given = parser.parse_args()
    asyncio.run(serve(given.port, {"latency_ms": given.latency_ms, **given.settings}))


if __name__ == "__main__":
    main()
