"""Teachers at any OpenAI-compatible server, or several: vLLM, llama.cpp, an API in the cloud.

What becomes of trouble:

| trouble | what follows |
|---|---|
| 429, 503 | the server is sent less and left alone for a while; the request waits and loses no try |
| connection refused or lost, or no answer, and nobody else was served meanwhile | the server is away: it is asked now \
and then whether it is back, its requests go to the others or wait, and lose no try |
| 500, 408, garbage, a connection cut while others are served, a timeout | asked again, elsewhere where there is one; \
after `tries` an `error` completion |
| 400, 413, 422 and the like | an `error` completion at once; twenty in a row before any reply end the build |
| 401, 402, 404, no chat template | ends the build: no request can be served before that is mended |
| no reply from any server for `patience_s` | `Unavailable`; a server that works on a long reply is given `timeout_s` |
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Literal
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from pydantic import BaseModel, Field, field_validator
from yarl import URL

from wrongcot_data.engines.asynchronous import AsyncEngine
from wrongcot_data.engines.base import Completion, Engine, NotHonoured, Opening, Request
from wrongcot_data.engines.endpoints import Endpoint, Limit, backoff, retry_after
from wrongcot_data.engines.openai_api import (
    Kind,
    Refusal,
    base_url,
    body,
    choose_model,
    error_text,
    one_line,
    read_answer,
    read_models,
)
from wrongcot_data.errors import BadInput, Unavailable
from wrongcot_data.teachers.availability import missing_key
from wrongcot_data.teachers.registry import Teacher

DEFAULT_KEY_VARIABLE = "OPENAI_API_KEY"

CONNECT_S = 10.0
"""To be connected, and for a probe to be answered: a server that is there takes milliseconds, even when it is busy."""

KEEP_ALIVE_S = 4.0
"""vLLM closes an idle connection after 5 s; one that we take just then would be lost."""

REFUSALS_A_TRY = 10
"""So many 429s and 503s count as one try, where others were served meanwhile: one request may be what is refused."""

REFUSED_IN_A_ROW = 20
"""Requests refused as wrong before a server has given any reply: then it is not the requests."""

GO_ON = "start it again and give the same command: it goes on"

log = logging.getLogger(__name__)


class ServerOptions(BaseModel, extra="forbid"):
    """Where the servers are and how patient we are; nothing here changes what a reply is."""

    base_urls: list[str] = Field(
        default_factory=list, description="addresses, with or without /v1; none: the API of the teacher's own"
    )
    model: str = Field("", description="its name at the server; none: the teacher's, as nobody should have to know it")
    key_variable: str = Field(
        "", description="environment variable with the key; none: the teacher's, else OPENAI_API_KEY where it is set"
    )
    in_flight: int = Field(256, ge=1, description="most requests at once a server; vLLM's own limit on one GPU")
    timeout_s: float = Field(600.0, gt=0, description="for one reply; a full server may need minutes for a long one")
    tries: int = Field(6, ge=1, description="of a request that fails; six with their waits last about half a minute")
    patience_s: float = Field(120.0, gt=0, description="without a reply before the build ends; a model reloads in less")
    backoff_s: float = Field(0.5, gt=0, description="first wait before asking again, doubled each time")
    dialect: Literal["auto", "vllm", "openai"] = Field(
        "auto", description="what may be asked of the servers; auto: vLLM says itself that it is vLLM"
    )

    @field_validator("base_urls", mode="before")
    @classmethod
    def _addresses(cls, value: object) -> object:
        """A single address is a list of one. A bad one is not a ValueError: pydantic would print what it holds."""
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, (list, tuple)) or not all(isinstance(text, str) for text in texts):
            return value
        return list(dict.fromkeys(base_url(text) for text in texts))

    @field_validator("key_variable")
    @classmethod
    def _a_name_and_no_key(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Z][A-Z0-9_]*", value):
            raise BadInput(
                "key_variable is the name of an environment variable, in capitals, and never the key itself",
                try_=["export MY_KEY=...", "--engine-option key_variable=MY_KEY"],
            )
        return value


class _Kind:
    options = ServerOptions

    def revision(self, teacher: Teacher, options: BaseModel) -> str:
        """`served:MODEL`: which weights a server holds, only who started it knows; no server is asked."""
        assert isinstance(options, ServerOptions)
        addresses(teacher, options)  # what is not even set up is said before a folder is made
        secret(teacher, options)
        return f"served:{options.model or teacher.api_model or teacher.hub_id or teacher.name}"

    def open(self, opening: Opening) -> Engine:
        return ServerEngine(opening)


KIND = _Kind()


def addresses(teacher: Teacher, options: ServerOptions) -> list[str]:
    """Where the teacher is served.

    Raises:
        BadInput: nothing says where.
    """
    found = options.base_urls or ([teacher.base_url] if teacher.base_url else [])
    if not found:
        raise BadInput("the engine server needs to know where", try_=["--base-url http://localhost:8000"])
    return found


def secret(teacher: Teacher, options: ServerOptions) -> str:
    """The key, from the environment; empty where none is set and none was asked for.

    Raises:
        Unavailable: the variable that should hold it is not set.
        BadInput: what it holds cannot be a key. The message does not repeat it.
    """
    name = options.key_variable or teacher.key_variable or DEFAULT_KEY_VARIABLE
    key = os.environ.get(name, "").strip()
    if not key and (options.key_variable or missing_key(teacher)):
        raise Unavailable(f"the key for the server is not there: {name} is not set", try_=[f"export {name}=..."])
    if not key.isascii() or not key.isprintable():
        raise BadInput(f"{name} holds something that cannot be a key", try_=[f"export {name}=..."])
    return key


def proxy_of(url: str) -> str | None:
    """The proxy that the environment names for an address; never one for this machine itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127.") or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return getproxies().get(parts.scheme)


@dataclass(slots=True)
class _Tries:
    """What a request has been through. `started`: when it was first sent."""

    counted: int = 0
    refusals: int = 0
    started: float = 0.0
    last: Endpoint | None = None


@dataclass(frozen=True, slots=True)
class _Away:
    """A request that got no whole answer, and whether that is held against the request."""

    story: str
    counts: bool


Waiting = tuple["asyncio.Future[tuple[Endpoint, int]]", Endpoint | None]


class ServerEngine(AsyncEngine):
    """Sends each request to the server with the most free places, and again where it failed."""

    def __init__(self, opening: Opening) -> None:
        assert isinstance(opening.options, ServerOptions)
        self._options = opening.options
        self._teacher = opening.teacher
        self._sampling = opening.sampling
        urls = addresses(opening.teacher, opening.options)
        self._key_name = opening.options.key_variable or opening.teacher.key_variable or DEFAULT_KEY_VARIABLE
        self._secret = secret(opening.teacher, opening.options)
        self._endpoints = [Endpoint(url, Limit(opening.options.in_flight)) for url in urls]
        self._urls = {url: (URL(f"{url}/chat/completions"), URL(f"{url}/completions"), proxy_of(url)) for url in urls}
        self._waiting: deque[Waiting] = deque()
        self._helpers: set[asyncio.Task[None]] = set()
        self._rng = Random()
        self._last_good = 0.0
        self._refused_in_a_row = 0
        self.not_honoured: tuple[NotHonoured, ...] = ()
        super().__init__()
        try:
            self._run(self._begin())
        except BaseException:
            self.close()
            raise

    @property
    def capacity(self) -> int:
        """What the servers that are there take at once, and an eighth more that is ready when a place comes free."""
        places = sum(endpoint.limit.value for endpoint in self._endpoints if not endpoint.down)
        return max(1, places + places // 8 + 1)

    # -- opening ---------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._secret:
            headers["Authorization"] = f"Bearer {self._secret}"
        self._session = aiohttp.ClientSession(
            headers=headers,
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S, ttl_dns_cache=300),
            timeout=aiohttp.ClientTimeout(total=self._options.timeout_s, sock_connect=CONNECT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._loop_time = asyncio.get_running_loop().time
        self._last_good = self._loop_time()
        there = await asyncio.gather(*(self._meet(endpoint) for endpoint in self._endpoints))
        if not any(there):
            stories = "; ".join(f"{endpoint.url}: {endpoint.trouble}" for endpoint in self._endpoints)
            model = self._teacher.hub_id or self._options.model or "MODEL"
            raise Unavailable(
                f"no server answers: {stories}",
                try_=[f"vllm serve {model} --port 8000", "the same command once it is up"],
            )
        for endpoint, up in zip(self._endpoints, there, strict=True):
            if not up:
                self._lose(endpoint, endpoint.trouble)
        self._describe()
        self._help(self._watch())

    async def _meet(self, endpoint: Endpoint) -> bool:
        """Ask a server what it is, if it is there.

        Raises:
            BadInput, Unavailable: it is, and will serve nothing before that is mended.
        """
        status, raw = await self._get(endpoint, f"{endpoint.url}/models")
        if status == 0:
            return False
        if status == 401:
            raise self._no_entry(endpoint, self._clean(error_text(None, raw)))
        served = read_models(raw) if status == 200 else []  # a server may keep its list to itself
        endpoint.model = choose_model(self._teacher, self._options.model, served, endpoint.url)
        endpoint.vllm = self._options.dialect == "vllm"
        if self._options.dialect != "openai":
            by_list = any(one.owner == "vllm" for one in served)
            if by_list or endpoint.vllm:
                root = endpoint.url.rpartition("/v1")[0]
                status, raw = await self._get(endpoint, f"{root}/version")
                found = re.search(rb'"version"\s*:\s*"([\w.+-]{1,40})"', raw) if status == 200 else None
                endpoint.version = found[1].decode() if found else ""
            endpoint.vllm = endpoint.vllm or by_list
        endpoint.known = True
        return True

    async def _get(self, endpoint: Endpoint, url: str) -> tuple[int, bytes]:
        """Status and body; status 0 where the server is not there, and `trouble` says why."""
        timeout = aiohttp.ClientTimeout(total=min(CONNECT_S, self._options.patience_s))
        proxy = self._urls[endpoint.url][2]
        try:
            async with self._session.get(url, timeout=timeout, proxy=proxy, allow_redirects=False) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            endpoint.trouble = self._why(error)
            return 0, b""

    def _describe(self) -> None:
        """Name and what is not honoured, from what is known of the servers now."""
        known = [endpoint for endpoint in self._endpoints if endpoint.known]
        kinds = sorted({f"vllm {one.version}".strip() if one.vllm else "openai" for one in known})
        models = sorted({self._clean(one.model) for one in known})
        self.name = f"server {', '.join(kinds)}, {', '.join(models)}"
        ignored: list[NotHonoured] = []
        if not all(one.vllm and one.seeds for one in known):
            ignored.append("seed")
        if not all(one.vllm for one in known):
            ignored.append("stop")
        self.not_honoured = tuple(ignored)

    # -- one request -----------------------------------------------------------------------------------------------

    def _start(self, request: Request) -> None:
        if not self._tasks:
            self._last_good = self._loop_time()  # nobody was asked for anything until now
        super()._start(request)

    async def _reply(self, request: Request) -> Completion:
        tries = _Tries(started=self._loop_time())
        while True:
            endpoint, ticket = await self._place(tries.last)
            try:
                outcome = await self._ask(endpoint, ticket, request)
            finally:
                endpoint.done(ticket)
                self._hand_out()
            if isinstance(outcome, Completion):
                return outcome
            story = self._held_against(tries, endpoint, outcome)
            if story:
                return Completion(request.key, "", "error", 0, 0, story)
            tries.last = endpoint
            if isinstance(outcome, _Away) or outcome.kind == "try":
                await asyncio.sleep(backoff(tries.counted, self._options.backoff_s, self._rng) if tries.counted else 0)

    def _held_against(self, tries: _Tries, endpoint: Endpoint, outcome: Refusal | _Away) -> str:
        """Count a failure; the reason for giving the request up, empty while it is not."""
        if isinstance(outcome, _Away):
            tries.counted += outcome.counts
        elif outcome.kind in ("row", "forbidden"):
            return outcome.story
        elif outcome.kind == "try":
            tries.counted += 1
        elif outcome.kind == "busy" and endpoint.answered_since(tries.started):
            tries.refusals += 1
            tries.counted += tries.refusals % REFUSALS_A_TRY == 0
        if tries.counted < self._options.tries:
            return ""
        return f"{outcome.story}, {tries.counted} tries"

    async def _ask(self, endpoint: Endpoint, ticket: int, request: Request) -> Completion | Refusal | _Away:
        """Send a request once and take in what the answer says of the server."""
        chat, plain, proxy = self._urls[endpoint.url]
        url = chat if request.prompt.messages else plain
        sent = endpoint.in_flight[ticket]
        seeds = endpoint.seeds
        try:
            data = body(endpoint, request, self._sampling)
            async with self._session.post(url, data=data, proxy=proxy, allow_redirects=False) as response:
                raw = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return self._no_answer(endpoint, ticket, sent, error)
        answer = read_answer(response.status, raw, request.prompt.stop)
        now = self._loop_time()
        if not isinstance(answer, Refusal):
            endpoint.replied(now)
            self._last_good = now
            return Completion(request.key, answer.text, answer.finish_reason, answer.n_prompt_tokens, answer.n_tokens)
        answer = replace(answer, story=self._clean(answer.story))
        endpoint.trouble = answer.story
        if answer.kind == "busy":
            headers = response.headers
            wished = retry_after(headers.get("Retry-After"), headers.get("Date"), datetime.now(UTC))
            endpoint.refused(ticket, now, wished, self._options.backoff_s, self._rng)
            asyncio.get_running_loop().call_at(endpoint.paused_until + 0.001, self._hand_out)
            return answer
        endpoint.answered(now)
        return self._mend(endpoint, answer, seeds=seeds)

    def _mend(self, endpoint: Endpoint, answer: Refusal, *, seeds: bool) -> Refusal:
        """Ask otherwise from now on where that is what the server wants; end it all where nothing can be served.

        Args:
            seeds: whether the request that was refused had one.
        """
        if answer.kind == "seed":
            if not seeds:
                return replace(answer, kind="try" if "HTTP 5" in answer.story else "row")
            if endpoint.seeds:
                endpoint.seeds = False
                log.warning("the server at %s takes no seeds: going on without", endpoint.url)
                self._describe()
            return answer
        if answer.kind == "renamed":
            if endpoint.renamed:
                return replace(answer, kind="row")
            endpoint.renamed = True
            return answer
        if answer.kind == "row":
            self._last_good = self._loop_time()  # it judges requests: it is well
            self._refused_in_a_row += not endpoint.served
            if self._refused_in_a_row >= REFUSED_IN_A_ROW and "too long" not in answer.story:
                raise Unavailable(
                    f"the server at {endpoint.url} refuses every request: {answer.story}",
                    try_=[
                        "--engine-option dialect=openai    (asks for nothing that is not OpenAI's)",
                        "--prompt STYLE",
                    ],
                )
        if answer.kind in FATAL and not (answer.kind == "forbidden" and endpoint.served):
            raise self._fatal(endpoint, answer)
        return answer

    def _fatal(self, endpoint: Endpoint, answer: Refusal) -> BadInput | Unavailable:
        where = f"the server at {endpoint.url}"
        if answer.kind in ("key", "forbidden"):
            return self._no_entry(endpoint, answer.story)
        if answer.kind == "paid":
            return Unavailable(f"{where} wants to be paid: {answer.story}", try_=["pay, and give the same command"])
        if answer.kind == "model":
            return Unavailable(
                f"{where} does not serve {endpoint.model}: {answer.story}",
                try_=["--engine-option model=NAME", f"curl {endpoint.url}/models    (what it serves)"],
            )
        if answer.kind == "template":
            return BadInput(
                f"the model at {endpoint.url} has no chat template", try_=["--prompt plain-few    (text to continue)"]
            )
        return BadInput(
            f"{where} has no such page: {answer.story}",
            try_=["--base-url http://HOST:8000", "--prompt chat-few    (for servers that continue no text)"],
        )

    def _no_entry(self, endpoint: Endpoint, story: str) -> Unavailable:
        held = f"does not accept the key in {self._key_name}" if self._secret else "wants a key"
        return Unavailable(f"the server at {endpoint.url} {held}: {story}", try_=[f"export {self._key_name}=..."])

    def _no_answer(self, endpoint: Endpoint, ticket: int, sent: float, error: Exception) -> _Away:
        """No whole answer came: the request's fault where the server served others meanwhile, else it is away."""
        story = self._why(error)
        endpoint.trouble = story
        timeout = isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ConnectionTimeoutError)
        if timeout:
            endpoint.timed_out(ticket)
        counts = endpoint.answered_since(sent)
        if not counts:
            self._lose(endpoint, story)
        return _Away(story, counts)

    # -- places ----------------------------------------------------------------------------------------------------

    async def _place(self, last: Endpoint | None) -> tuple[Endpoint, int]:
        """A place at a server, as soon as there is one; rather not at the one that failed last."""
        now = self._loop_time()
        if not self._waiting and (endpoint := self._best(last, now)):
            return endpoint, endpoint.send(now)
        future: asyncio.Future[tuple[Endpoint, int]] = asyncio.get_running_loop().create_future()
        if last:
            self._waiting.appendleft((future, last))  # what has waited before goes first
        else:
            self._waiting.append((future, None))
        return await future

    def _best(self, last: Endpoint | None, now: float) -> Endpoint | None:
        free = [(endpoint is not last, endpoint.free(now), endpoint) for endpoint in self._endpoints]
        best = max(
            ((other, places, one) for other, places, one in free if places > 0), key=lambda it: it[:2], default=None
        )
        return best[2] if best else None

    def _hand_out(self) -> None:
        """Give the places that are free to those that wait."""
        now = self._loop_time()
        while self._waiting:
            future, last = self._waiting[0]
            endpoint = None if future.done() else self._best(last, now)
            if endpoint:
                future.set_result((endpoint, endpoint.send(now)))
            elif not future.done():
                return
            self._waiting.popleft()

    # -- servers that go and come ----------------------------------------------------------------------------------

    def _lose(self, endpoint: Endpoint, story: str) -> None:
        """Send nothing more to a server until it answers again."""
        if not endpoint.down:
            endpoint.down = True
            self._help(self._regain(endpoint, story))

    async def _regain(self, endpoint: Endpoint, story: str) -> None:
        number = 0
        while not (await self._meet(endpoint) if not endpoint.known else await self._is_there(endpoint)):
            number += 1
            if number == 1:
                log.warning("the server at %s is away: %s", endpoint.url, story)
            await asyncio.sleep(0.05 + backoff(number, self._options.backoff_s, self._rng) / 2)
        if number:
            log.warning("the server at %s is back", endpoint.url)
        endpoint.came_back()
        self._describe()
        self._hand_out()

    async def _is_there(self, endpoint: Endpoint) -> bool:
        """Whether it answers at all, whatever it says."""
        return (await self._get(endpoint, f"{endpoint.url}/models"))[0] not in (0, 502, 503, 504)

    async def _watch(self) -> None:
        """End the build when no server has given a reply for too long while replies are wanted."""
        patience = self._options.patience_s
        while True:
            await asyncio.sleep(min(1.0, patience / 8))
            now = self._loop_time()
            quiet = now - self._last_good
            if not self._tasks or quiet <= patience:
                continue
            if quiet <= patience + self._options.timeout_s and await self._anyone_at_work(now):
                continue
            self._finished.put(self._given_up())
            return

    async def _anyone_at_work(self, now: float) -> bool:
        """Whether a server holds a request for long and is well: then it writes, and did not just refuse."""
        at_work = [
            endpoint
            for endpoint in self._endpoints
            if not endpoint.down
            and (since := endpoint.waits_since()) is not None
            and now - since > self._options.patience_s / 2
        ]
        return any(await asyncio.gather(*(self._is_there(endpoint) for endpoint in at_work)))

    def _given_up(self) -> Unavailable:
        stories = "; ".join(f"{one.url}: {one.trouble or 'silent'}" for one in self._endpoints)
        return Unavailable(
            f"no server answers with a reply, for {self._options.patience_s:g} s now: {stories}",
            try_=[GO_ON, "--engine-option patience_s=600    (waits longer)"],
        )

    def _help(self, work: object) -> None:
        async def helped() -> None:
            try:
                await work  # type: ignore[misc]
            except Exception as error:  # whatever it is, it ends the build, and loudly
                self._finished.put(error)

        task = asyncio.get_running_loop().create_task(helped())
        self._helpers.add(task)
        task.add_done_callback(self._helpers.discard)

    async def _shut_down(self) -> None:
        for task in list(self._helpers):
            task.cancel()
        await asyncio.gather(*self._helpers, return_exceptions=True)
        if hasattr(self, "_session"):
            with contextlib.suppress(Exception):
                await self._session.close()

    # -- words -----------------------------------------------------------------------------------------------------

    def _clean(self, text: str) -> str:
        """A server's words for a row or a person: without the key, which some servers repeat, and on one line."""
        if self._secret:
            for form in {self._secret, quote(self._secret, safe="")}:
                text = text.replace(form, "***")
        return one_line(text)

    def _why(self, error: Exception) -> str:
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return "cannot be connected to"
        if isinstance(error, TimeoutError):
            return f"no answer within {self._options.timeout_s:g} s"
        if isinstance(error, aiohttp.ClientConnectorError):
            return self._clean(f"cannot be connected to ({error.os_error.strerror or error.os_error})")
        if isinstance(error, (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, aiohttp.ClientOSError)):
            return "the connection was cut"
        return self._clean(f"no answer that can be read ({type(error).__name__})")


FATAL: frozenset[Kind] = frozenset({"key", "forbidden", "paid", "model", "path", "template"})
