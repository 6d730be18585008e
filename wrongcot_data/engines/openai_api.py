"""The OpenAI-compatible API as data: addresses, bodies of requests, what an answer says. Pure; nothing is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

from wrongcot_data.engines.base import Request, Sampling
from wrongcot_data.engines.decoding import first_stop
from wrongcot_data.engines.endpoints import Endpoint
from wrongcot_data.errors import BadInput
from wrongcot_data.records import FinishReason
from wrongcot_data.teachers.registry import Teacher

SEED_BITS = 31
"""Seeds fit a signed 32-bit integer: what Google and llama.cpp take; vLLM would take 64 bits."""

NEUTRAL = {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
"""vLLM otherwise draws by the model's `generation_config.json` (Qwen2.5: top_k 20, repetition_penalty above 1), which
`transformers` here does not: the same sampling must mean the same distribution."""

MOST_OF_A_STORY = 200

Kind = Literal["row", "try", "busy", "away", "key", "model", "path", "template", "seed", "renamed", "forbidden", "paid"]


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of the model. A count of tokens that the server does not give is 0, never estimated."""

    text: str
    finish_reason: FinishReason
    n_prompt_tokens: int
    n_tokens: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no reply.

    Attributes:
        kind: what follows from it: `row`, this request can never be served; `try`, it may be asked again, and that
            counts; `busy`, the server has too much to do; `away`, it is not there; `key`, `forbidden`, `paid`, `model`,
            `path`, `template`: no request can be served before somebody mends it; `seed`, `renamed`: the server wants
            to be asked otherwise.
        story: why, in a line.
    """

    kind: Kind
    story: str


def base_url(text: str) -> str:
    """A server's address as it is used: with `/v1`, unless its path names a version already, without a last slash.

    Raises:
        BadInput: no http address, or one that carries a secret: addresses are written into the manifest. The message
            does not repeat it.
    """
    example = ["--base-url http://localhost:8000"]
    try:
        parts = urlsplit(text.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadInput("a base URL cannot be read", try_=example) from error
    if "@" in parts.netloc:
        raise BadInput(
            "a base URL carries a user or a password, and would be written into the manifest",
            try_=["export OPENAI_API_KEY=...    (the key goes into the environment)", *example],
        )
    if parts.query or parts.fragment:
        raise BadInput(
            "a base URL carries a query, where keys hide, and would be written into the manifest",
            try_=["export OPENAI_API_KEY=...    (the key goes into the environment)", *example],
        )
    if parts.scheme not in ("http", "https") or not host or re.search(r"\s", text.strip()):
        raise BadInput(f"{text!r} is no base URL", try_=example)
    path = parts.path.rstrip("/")
    if not any(re.fullmatch(r"v\d+\w*", part) for part in path.split("/")):
        path += "/v1"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def body(endpoint: Endpoint, request: Request, sampling: Sampling) -> bytes:
    """The JSON that asks a server for a reply.

    Stop strings are sent only to vLLM, which can be told to keep the one that ended the reply; other servers take it
    out, and what is left cannot be told from a reply that ended by itself.
    """
    asked: dict[str, Any] = {
        "model": endpoint.model,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_completion_tokens" if endpoint.renamed and request.prompt.messages else "max_tokens": sampling.max_tokens,
    }
    if request.prompt.messages:
        asked["messages"] = [{"role": turn.role, "content": turn.content} for turn in request.prompt.messages]
    else:
        asked["prompt"] = request.prompt.text
    if endpoint.seeds:
        asked["seed"] = request.seed % 2**SEED_BITS
    if endpoint.vllm:
        asked |= NEUTRAL
        if request.prompt.stop:
            asked["stop"] = list(request.prompt.stop)
            asked["include_stop_str_in_output"] = True
    return json.dumps(asked).encode()


def read_answer(status: int, raw: bytes, stops: Sequence[str]) -> Reply | Refusal:
    """What a server's answer to a request says."""
    return _reply(_json(raw), stops) if status == 200 else _refusal(status, raw)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):  # no JSON, no UTF-8, or nested without end
        return None


GARBAGE = Refusal("try", "garbage from the server")


def _reply(value: Any, stops: Sequence[str]) -> Reply | Refusal:
    choices = value.get("choices") if isinstance(value, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return GARBAGE
    said = choice.get("finish_reason")
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else choice.get("text")
    if said in ("content_filter", "safety"):
        return Refusal("row", "the server's content filter withheld the reply")
    if said in ("tool_calls", "function_call"):
        return Refusal("row", "the server replied with a tool call")
    if said in ("abort", "error"):
        return Refusal("try", "the server broke the reply off")
    if text is None and said == "length":
        text = ""  # a thinking model that thought up to the limit
    if not isinstance(text, str):
        return GARBAGE
    cut = first_stop(text, stops)
    usage = value.get("usage")
    n_prompt, n_tokens = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if cut is not None:
        return Reply(text[:cut], "stop", n_prompt, n_tokens)
    return Reply(text, FINISH.get(said, "unknown") if isinstance(said, str) else "unknown", n_prompt, n_tokens)


FINISH: Mapping[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
}
"""By the names of OpenAI, vLLM, TGI and others; what is not here is `unknown`."""


def _count(usage: Any, name: str) -> int:
    found = usage.get(name) if isinstance(usage, dict) else None
    return found if isinstance(found, int) and found >= 0 else 0


def _refusal(status: int, raw: bytes) -> Refusal:
    story = error_text(raw)
    low = story.lower()
    said = f"HTTP {status} from the server" + (f": {story}" if story else "")
    kind: Kind = "row"
    if status == 401:
        kind = "key"
    elif status == 402:
        kind = "paid"
    elif status == 403:
        kind = "forbidden"
    elif status == 404:
        kind = "model" if "model" in low else "path"
    elif status in (429, 502, 503, 504):  # gateways say 502 and 504 while the server behind them starts
        # a request above what its tokens a minute allow (OpenAI) is refused for ever
        kind = "row" if status == 429 and "too large" in low else "busy"
    elif status in (408, 409, 425) or status >= 500:
        kind = "try"
        if "seed" in low and status in (500, 501) and len(low) < 400:
            kind = "seed"
    elif re.search(r"context (length|window|size)|maximum context|prompt is too long|too many tokens", low):
        said = f"prompt too long for the served model: {story}"
    elif "chat template" in low:
        kind = "template"
    elif "max_completion_tokens" in low and "unsupported" in low:
        kind = "renamed"
    elif re.search(r"\bseeds?\b", low) and len(low) < 400:  # longer ones quote the prompt
        kind = "seed"
    return Refusal(kind, said)


def error_text(raw: bytes) -> str:
    """What a server says of an error: OpenAI's `error.message`, FastAPI's `detail`, else the body itself."""
    value = _json(raw)
    if isinstance(value, list) and value:  # Google wraps its error in a list
        value = value[0]
    if isinstance(value, dict):
        error = value.get("error", value)
        for found in (error.get("message") if isinstance(error, dict) else error, value.get("detail")):
            if found and isinstance(found, str):
                return found
        return json.dumps(value, ensure_ascii=False)
    return raw[:4000].decode("utf-8", "replace")


def one_line(text: str) -> str:
    """A server's words on one line and not too long of it."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split()).rstrip(".")
    return line if len(line) <= MOST_OF_A_STORY else f"{line[: MOST_OF_A_STORY - 3]}..."


@dataclass(frozen=True, slots=True)
class Served:
    """One entry of a server's list of models; `root` is where vLLM loaded it from."""

    id: str
    root: str = ""
    owner: str = ""


def read_models(raw: bytes) -> list[Served]:
    """The models of `GET /v1/models`; none where the answer is something else."""
    value = _json(raw)
    data = value.get("data") if isinstance(value, dict) else None
    return [
        Served(one["id"], str(one.get("root") or ""), str(one.get("owned_by") or ""))
        for one in (data if isinstance(data, list) else [])
        if isinstance(one, dict) and isinstance(one.get("id"), str)
    ]


def choose_model(teacher: Teacher, wanted: str, served: Sequence[Served], url: str) -> str:
    """The name by which a server serves a teacher.

    Args:
        wanted: the option `model`; empty: the teacher's own name, or the server's only model where nothing says that it
            is another one. A single model that is plainly another one is refused: its rows would bear a wrong name.
        served: what the server lists; empty where it lists nothing, and then the name is taken on trust.

    Raises:
        BadInput: the server has no such model; the message names those it has.
    """
    name = wanted or teacher.api_model or teacher.hub_id
    if not served and name:
        return name
    by_id = {one.id: one for one in served}
    if name in by_id or any(one.id.endswith(f"/{name}") for one in served if name):  # Google lists `models/NAME`
        return name
    if name and not wanted:
        short = name.rsplit("/", maxsplit=1)[-1].lower()
        same = [one for one in served if name in (one.root, one.id) or short in f"{one.id} {one.root}".lower()]
        if len(same) == 1:
            return same[0].id
    if not name and len(served) == 1:
        return served[0].id
    names = [one.id for one in served]
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    raise BadInput(
        f"the server at {url} does not have {name or 'a model of a known name'}; it has {shown or 'none'}",
        try_=[f"--engine-option model={names[0] if names else 'NAME'}    (if that is the teacher)", "--teacher NAME"],
    )
