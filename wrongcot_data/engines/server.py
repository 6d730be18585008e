"""Teachers at any OpenAI-compatible server, or several: vLLM, llama.cpp, an API in the cloud.

What becomes of trouble:

| trouble | what follows |
|---|---|
| 429, 502, 503, 504; a redirect by a server that has served | the server is sent less and left alone for a while; the \
request waits and loses no try |
| connection refused or cut, no answer in time, and a probe finds nobody | the server is away: it is probed now and \
then; its requests go to the others or wait, and lose no try |
| the same, and a probe is answered; 500, 408, garbage | asked again, elsewhere where there is one; after `tries` an \
`error` completion |
| a request held for `patience_s` by a server that answers no probe | the server is away, as above |
| 400, 413, 422 and the like | an `error` completion at once; twenty without a reply in between: as the next |
| 401, 402, 404, no chat template | the server is out: no request can be served before that is mended. Its requests go \
to the others; where none is left that ends the build |
| no reply from any server for `patience_s` | `Unavailable`; a server that works on a long reply, or that asked to be \
left alone, is given `timeout_s` more |
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random

import aiohttp
from pydantic import BaseModel
from yarl import URL

from wrongcot_data.engines.asynchronous import AsyncEngine
from wrongcot_data.engines.base import Completion, Engine, NotHonoured, Opening, Request
from wrongcot_data.engines.endpoints import Endpoint, Limit, backoff, retry_after
from wrongcot_data.engines.openai_api import (
    Kind,
    Refusal,
    body,
    choose_model,
    error_text,
    one_line,
    read_answer,
    read_models,
)
from wrongcot_data.engines.places import Places
from wrongcot_data.engines.server_options import ServerOptions, addresses, key_variable, proxy_of, secret
from wrongcot_data.errors import BadInput, Unavailable, WrongcotError
from wrongcot_data.teachers.registry import Teacher

CONNECT_S = 10.0
"""To be connected, and for a probe to be answered: a server that is there takes milliseconds, even when it is busy."""

KEEP_ALIVE_S = 4.0
"""vLLM closes an idle connection after 5 s; one that we take just then would be lost."""

MOST_REFUSALS = 60
"""429s and 503s for one request, while others are served, for longer than our patience: then it is the request."""

NOT_THERE = (0, 502, 503, 504)
"""What a probe of a server that is away says; 0: nothing. Gateways answer for servers behind them."""

MOST_MISFITS = 20
"""Requests that a server refuses one after the other, without a reply in between: then it is not the requests."""

MOST_OF_A_BODY = 8 << 20
"""Bytes, decompressed. A reply of 100,000 tokens or a list of a thousand models is a tenth of it."""

GO_ON = "start it again and give the same command: it goes on"

log = logging.getLogger(__name__)


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


@dataclass(slots=True)
class _Tries:
    """What a request has been through. `started`: when it was first sent; 0 before."""

    counted: int = 0
    refusals: int = 0
    started: float = 0.0
    last: Endpoint | None = None


class ServerEngine(AsyncEngine):
    """Sends each request to the server with the most free places, and again where it failed."""

    def __init__(self, opening: Opening) -> None:
        assert isinstance(opening.options, ServerOptions)
        self._options = opening.options
        self._teacher = opening.teacher
        self._sampling = opening.sampling
        urls = addresses(opening.teacher, opening.options)
        self._key_name = key_variable(opening.teacher, opening.options)
        self._secret = secret(opening.teacher, opening.options)
        self._hidden = _forms(self._secret)
        self._endpoints = [Endpoint(url, Limit(opening.options.in_flight)) for url in urls]
        self._urls = {url: (URL(f"{url}/chat/completions"), URL(f"{url}/completions"), proxy_of(url)) for url in urls}
        self._places = Places(self._endpoints)
        self._timers: dict[Endpoint, set[asyncio.Timeout]] = {endpoint: set() for endpoint in self._endpoints}
        self._last_out: WrongcotError | None = None
        self._probes: dict[Endpoint, asyncio.Future[bool]] = {}
        self._helpers: set[asyncio.Task[None]] = set()
        self._rng = Random()
        self._last_good = 0.0
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
        places = sum(endpoint.limit.value for endpoint in self._endpoints if not endpoint.down and not endpoint.out)
        return max(1, places + places // 8 + 1)

    def withdraw(self) -> list[str]:
        return [] if self._closed else self._run(self._take_back())

    async def _take_back(self) -> list[str]:
        self._take_in()
        await asyncio.sleep(0)  # each gets a place or in line
        return self._places.withdraw()

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
        if status in NOT_THERE:
            return False
        if status == 401:
            raise self._no_entry(endpoint, self._clean(error_text(raw)))
        served = read_models(raw) if status == 200 else []  # a server may keep its list to itself
        try:
            endpoint.model = choose_model(self._teacher, self._options.model, served, endpoint.url)
        except BadInput as error:  # it repeats the server's list
            raise BadInput(self._hide(error.message), try_=[self._hide(hint) for hint in error.try_]) from None
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
        seconds = min(CONNECT_S, self._options.patience_s)
        timeout = aiohttp.ClientTimeout(total=seconds)
        proxy = self._urls[endpoint.url][2]
        try:
            async with self._session.get(url, timeout=timeout, proxy=proxy, allow_redirects=False) as response:
                if response.status in NOT_THERE:
                    endpoint.trouble = f"HTTP {response.status} from the server"
                return response.status, await _body(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            endpoint.trouble = self._why(error, seconds)
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
        tries = _Tries()
        while True:
            endpoint, ticket = await self._places.take(request.key, tries.last, soon=not tries.refusals)
            tries.started = tries.started or self._loop_time()
            try:
                outcome = await self._ask(endpoint, ticket, request)
            finally:
                endpoint.done(ticket)
                self._places.hand_out()
                if self._last_out:
                    self._loop.call_soon(self._end_where_none_is_left)  # after this reply, if it is one
            if isinstance(outcome, Completion):
                return outcome
            story = self._held_against(tries, endpoint, outcome)
            if story:
                return Completion(request.key, "", "error", 0, 0, story)
            tries.last = endpoint
            if tries.counted and outcome.kind in ("away", "try"):
                await asyncio.sleep(self._backoff(tries.counted))

    def _held_against(self, tries: _Tries, endpoint: Endpoint, outcome: Refusal) -> str:
        """Count a failure; the reason for giving the request up, empty while it is not."""
        if outcome.kind in ("row", "misfit"):
            return outcome.story
        if outcome.kind == "try":
            tries.counted += 1
        elif outcome.kind == "busy":
            tries.refusals += 1
            long = self._loop_time() - tries.started > self._options.patience_s
            if tries.refusals >= MOST_REFUSALS and long and endpoint.answered_since(tries.started):
                return f"{outcome.story}, {tries.refusals} times while others were served"
        if tries.counted < self._options.tries:
            return ""
        return f"{outcome.story}, {tries.counted} tries"

    def _backoff(self, number: int) -> float:
        """Seconds to wait; never so long that patience would end with too few tries to say that nobody is there."""
        return min(backoff(number, self._options.backoff_s, self._rng), self._options.patience_s / 8)

    async def _ask(self, endpoint: Endpoint, ticket: int, request: Request) -> Completion | Refusal:
        """Send a request once and take in what the answer says of the server."""
        chat, plain, proxy = self._urls[endpoint.url]
        url = chat if request.prompt.messages else plain
        asked = (endpoint.seeds, endpoint.renamed)
        data = body(endpoint, request, self._sampling)
        timer = asyncio.timeout(None)  # for whoever finds that the server is gone
        self._timers[endpoint].add(timer)
        try:
            async with (
                timer,
                self._session.post(url, data=data, proxy=proxy, allow_redirects=False) as response,
            ):
                raw = await _body(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            story = endpoint.trouble if timer.expired() else self._why(error, self._options.timeout_s)
            return await self._no_answer(endpoint, ticket, error, story)
        finally:
            self._timers[endpoint].discard(timer)
        answer = read_answer(response.status, raw, request.prompt.stop)
        now = self._loop_time()
        if not isinstance(answer, Refusal):
            endpoint.replied(now)
            self._last_good = now
            return Completion(request.key, answer.text, answer.finish_reason, answer.n_prompt_tokens, answer.n_tokens)
        answer = replace(answer, story=self._clean(answer.story))
        if answer.kind == "moved" and endpoint.served:  # such as a page that tells of repairs
            answer = replace(answer, kind="busy")
        if answer.kind != "row":
            endpoint.trouble = answer.story
        if answer.kind == "busy":
            headers = response.headers
            wished = retry_after(headers.get("Retry-After"), headers.get("Date"), datetime.now(UTC))
            endpoint.refused(ticket, now, wished, self._backoff)
            asyncio.get_running_loop().call_at(endpoint.paused_until + 0.001, self._places.hand_out)
            return answer
        endpoint.answered(now)
        return self._mend(endpoint, answer, *asked)

    def _mend(self, endpoint: Endpoint, answer: Refusal, seeded: bool, renamed: bool) -> Refusal:
        """Ask otherwise from now on where that is what the server wants; put it out where it can serve nothing.

        Args:
            seeded: whether the request that was refused had a seed.
            renamed: whether it used the new name of `max_tokens`.
        """
        if endpoint.out:
            return replace(answer, kind="away")
        if answer.kind == "seed" and not seeded:
            answer = replace(answer, kind="try" if answer.story.startswith("HTTP 5") else "misfit")
        elif (answer.kind == "renamed" and renamed) or (answer.kind == "forbidden" and endpoint.served):
            answer = replace(answer, kind="misfit")
        if answer.kind == "seed":
            if endpoint.seeds:
                endpoint.seeds = False
                log.warning("the server at %s takes no seeds: going on without", endpoint.url)
                self._describe()
        elif answer.kind == "renamed":
            endpoint.renamed = True
        elif answer.kind in ("row", "misfit"):
            self._last_good = self._loop_time()  # it judges requests: it is well
            endpoint.misfits += answer.kind == "misfit"
        if answer.kind in FATAL or endpoint.misfits >= MOST_MISFITS:
            self._put_out(endpoint, self._fatal(endpoint, answer))
            return replace(answer, kind="away")
        return answer

    def _put_out(self, endpoint: Endpoint, error: WrongcotError) -> None:
        """Send a server nothing any more; what it is writing is still taken in."""
        endpoint.out = True
        self._last_out = error
        if not all(one.out for one in self._endpoints):
            log.warning("%s; going on without", error.message)

    def _end_where_none_is_left(self) -> None:
        if self._last_out and all(one.out and not one.in_flight for one in self._endpoints):
            self._fail(self._last_out)

    def _fatal(self, endpoint: Endpoint, answer: Refusal) -> WrongcotError:
        where = f"the server at {endpoint.url}"
        if answer.kind == "misfit":
            way_out = [
                "--engine-option dialect=openai    (asks for nothing that is not OpenAI's)",
                "--prompt STYLE",
            ]
            return Unavailable(
                f"{where} refuses every request: {answer.story}",
                try_=["the same command once it is mended: it goes on"] if endpoint.served else way_out,
            )
        if answer.kind == "moved":
            return BadInput(f"{where} sends us elsewhere: {answer.story}", try_=[f"curl -i {endpoint.url}/models"])
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

    async def _no_answer(self, endpoint: Endpoint, ticket: int, error: Exception, story: str) -> Refusal:
        """No whole answer came. It is held against the request if the server is there: a probe tells."""
        if endpoint.out:
            return Refusal("away", story)
        endpoint.trouble = story
        if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ConnectionTimeoutError):
            endpoint.timed_out(ticket)
        there = await asyncio.shield(self._lose(endpoint, story))
        return Refusal("try" if there else "away", story)

    # -- servers that go and come ----------------------------------------------------------------------------------

    def _lose(self, endpoint: Endpoint, story: str) -> asyncio.Future[bool]:
        """Send nothing more to a server until it answers a probe; the future says whether it did so at once."""
        if not endpoint.down:
            endpoint.down = True
            self._probes[endpoint] = asyncio.get_running_loop().create_future()
            self._help(self._regain(endpoint, story, self._probes[endpoint]))
        return self._probes[endpoint]

    async def _regain(self, endpoint: Endpoint, story: str, at_once: asyncio.Future[bool]) -> None:
        number = 0
        try:
            while not (await self._is_there(endpoint) if endpoint.known else await self._meet(endpoint)):
                number += 1
                if number == 1:
                    at_once.set_result(False)
                    log.warning("the server at %s is away: %s", endpoint.url, story)
                await asyncio.sleep(0.05 + self._backoff(number) / 2)
        except WrongcotError as error:
            self._put_out(endpoint, error)
            self._end_where_none_is_left()
            return
        if number:
            log.warning("the server at %s is back", endpoint.url)
        else:
            at_once.set_result(True)
        endpoint.came_back(rested=number > 0)
        self._describe()
        self._places.hand_out()

    async def _is_there(self, endpoint: Endpoint) -> bool:
        """Whether it answers at all, whatever it says."""
        there = (await self._get(endpoint, f"{endpoint.url}/models"))[0] not in NOT_THERE
        if there:
            endpoint.seen = self._loop_time()
        return there

    async def _watch(self) -> None:
        """End the build when no server has given a reply for too long while replies are wanted."""
        patience = self._options.patience_s
        while True:
            await asyncio.sleep(min(1.0, patience / 8))
            now = self._loop_time()
            # who holds a request for so long and is there writes, and did not just refuse
            holders = [endpoint for endpoint in self._endpoints if endpoint.holds(now, patience / 2)]
            at_work = await asyncio.gather(*(self._is_still_there(endpoint, now) for endpoint in holders))
            asked_to_wait = any(now - endpoint.wished_until <= patience for endpoint in self._endpoints)
            if any(endpoint.idle(now) for endpoint in self._endpoints):
                self._last_good = now  # who waits is held by another server, not by this one
            quiet = now - self._last_good
            if not self._tasks or quiet <= patience:
                continue
            if quiet <= patience + self._options.timeout_s and (asked_to_wait or any(at_work)):
                continue
            self._fail(self._given_up())
            return

    async def _is_still_there(self, endpoint: Endpoint, now: float) -> bool:
        """Look after a server that holds a request for long: if it is gone, its requests are asked elsewhere."""
        patience = self._options.patience_s
        if now - endpoint.seen < patience / 2 or await self._is_there(endpoint):
            return True
        if endpoint.holds(self._loop_time(), patience):
            endpoint.trouble = f"no reply within {patience:g} s and no answer to a probe"
            self._lose(endpoint, endpoint.trouble)
            for timer in self._timers[endpoint]:
                timer.reschedule(self._loop_time())
            self._timers[endpoint].clear()
        return False

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
                self._fail(error)

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

    def _hide(self, text: str) -> str:
        """A server's words without the key, which some servers repeat."""
        return self._hidden.sub("***", text) if self._hidden else text

    def _clean(self, text: str) -> str:
        """A server's words for a row or a person: without the key and on one line."""
        return one_line(self._hide(text))

    def _why(self, error: Exception, seconds: float) -> str:
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return "cannot be connected to"
        if isinstance(error, TimeoutError):
            return f"no answer within {seconds:g} s"
        if isinstance(error, aiohttp.ClientConnectorError):
            return self._clean(f"cannot be connected to ({error.os_error.strerror or error.os_error})")
        if isinstance(error, (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, aiohttp.ClientOSError)):
            return "the connection was cut"
        return self._clean(f"no answer that can be read ({type(error).__name__})")


FATAL: frozenset[Kind] = frozenset({"key", "forbidden", "paid", "model", "path", "moved", "template"})


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The body of an answer; nothing of one that is too long to be meant."""
    read = bytearray()
    async for part in response.content.iter_any():
        read += part
        if len(read) > MOST_OF_A_BODY:
            response.close()
            return b""
    return bytes(read)


def _forms(key: str) -> re.Pattern[str] | None:
    """Finds a key however often it was escaped, as JSON or for a URL; None where there is none."""
    letters = (rf"(?:\\*{re.escape(letter)}|%{ord(letter):02X}|%{ord(letter):02x})" for letter in key)
    return re.compile("".join(letters)) if key else None
