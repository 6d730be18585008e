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

MOST_TOKENS = 10_000_000
"""No model reads or writes more: a count above this is no count."""

Kind = Literal[
    "row", "misfit", "try", "busy", "away",
    "key", "forbidden", "paid", "model", "path", "moved", "template",
    "seed", "renamed",
]  # fmt: skip


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
        kind: what follows from it: `row`, this request can never be served, and plainly by its own fault; `misfit`,
            the server does not want it, and it is not plain whose fault that is; `try`, it may be asked again, and that
            counts; `busy`, the server has too much to do; `away`, it is not there; `key`, `forbidden`, `paid`, `model`,
            `path`, `moved`, `template`: it serves no request before somebody mends it; `seed`, `renamed`: it wants to
            be asked otherwise.
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
    if "@" in text:
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
    return found if type(found) is int and 0 <= found <= MOST_TOKENS else 0  # bool is an int to isinstance


def _refusal(status: int, raw: bytes) -> Refusal:
    story = error_text(raw)
    low = story.lower()
    said = f"HTTP {status} from the server" + (f": {story}" if story else "")
    kind: Kind = "misfit"
    if 300 <= status < 400:
        kind = "moved"
    elif status == 401:
        kind = "key"
    elif status == 402:
        kind = "paid"
    elif status == 403:
        kind = "forbidden"
    elif status == 404:
        kind = "model" if "model" in low else "path"
    elif status in (429, 502, 503, 504):  # gateways say 502 and 504 while the server behind them starts
        # a request above what its tokens a minute allow (OpenAI) is refused for ever
        kind = "row" if status == 429 and re.search(r"request too large\b.*\btokens per min", low) else "busy"
    elif status in (408, 409, 425) or status >= 500:
        kind = "try"
        if status in (500, 501) and _refuses_seeds(low):
            kind = "seed"
    elif re.search(r"context (length|window|size)|maximum context|prompt is too long|too many tokens", low):
        kind, said = "row", f"prompt too long for the served model: {story}"
    elif "chat template" in low:
        kind = "template"
    elif "max_completion_tokens" in low and "unsupported" in low:
        kind = "renamed"
    elif _refuses_seeds(low):
        kind = "seed"
    return Refusal(kind, said)


def _refuses_seeds(low: str) -> bool:
    """Whether a server says that it takes no seeds. The word alone may be the prompt's, which some repeat."""
    return len(low) < 400 and bool(REFUSES_SEEDS.search(low))


_NO = (
    r"(?:\b(?:parameters?|unsupported|unknown|unrecognized|unexpected|invalid)\b"
    r"|(?:not|n't) (?:be )?(?:support|supported|permitted|allowed|accepted)\b"
    r"|\bextra(?: (?:inputs?|fields?)|_forbidden)\b)"
)
REFUSES_SEEDS = re.compile(rf"{_NO}.{{0,40}}\bseeds?\b|\bseeds?\b.{{0,40}}{_NO}", re.DOTALL)


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
    return raw.decode("utf-8", "replace")


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


def own_name(name: str) -> str:
    """What a model is called by itself: the last part of a Hub id or path, in small letters.

    Of a folder in the Hub's cache it is the id that the folder is for; of a GGUF file, what it is called besides its
    quantization: that is the same model, and the row's engine column has the file's name.
    """
    path = re.sub(r"/snapshots/[0-9a-f]+$", "", name.lower().rstrip("/"))
    last = re.split(r"[/\\]", path)[-1]
    if path.endswith(".gguf"):
        last = re.sub(r"(?:[-.](?:i?q\d\w*|b?f16|f32))?(?:-\d{5}-of-\d{5})?\.gguf$", "", last)
    return last.rpartition("--")[2] if last.startswith("models--") else last


def choose_model(teacher: Teacher, wanted: str, served: Sequence[Served], url: str) -> str:
    """The name by which a server serves a teacher.

    Args:
        wanted: the option `model`; empty: the teacher's own name, or the server's only model where the teacher has no
            name by which others know it. Another model is refused, also one of a name like it (`-Instruct`, `-it`): its
            rows would bear a wrong name.
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
        same = [one for one in served if own_name(name) in (own_name(one.id), own_name(one.root))]
        if len(same) == 1:
            return same[0].id
    if not name and len(served) == 1:
        return served[0].id
    names = [one_line(one.id) for one in served]
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    raise BadInput(
        f"the server at {url} does not have {name or 'a model of a known name'}; it has {shown or 'none'}",
        try_=[f"--engine-option model={names[0] if names else 'NAME'}    (if that is the teacher)", "--teacher NAME"],
    )
