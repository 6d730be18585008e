"""How the server engine is set up: options, addresses, and the key: read from the environment, sent, never written."""

from __future__ import annotations

import os
import re
from typing import Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from pydantic import BaseModel, Field, field_validator

from wrongcot_data.engines.openai_api import base_url
from wrongcot_data.errors import BadInput, Unavailable
from wrongcot_data.teachers.availability import missing_key
from wrongcot_data.teachers.registry import Teacher

DEFAULT_KEY_VARIABLE = "OPENAI_API_KEY"


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


def addresses(teacher: Teacher, options: ServerOptions) -> list[str]:
    """Where the teacher is served.

    Raises:
        BadInput: nothing says where.
    """
    found = options.base_urls or ([teacher.base_url] if teacher.base_url else [])
    if not found:
        raise BadInput("the engine server needs to know where", try_=["--base-url http://localhost:8000"])
    return found


def key_variable(teacher: Teacher, options: ServerOptions) -> str:
    """Name of the environment variable that holds the key, if any is needed."""
    return options.key_variable or teacher.key_variable or DEFAULT_KEY_VARIABLE


def secret(teacher: Teacher, options: ServerOptions) -> str:
    """The key, from the environment; empty where none is set and none was asked for.

    Raises:
        Unavailable: the variable that should hold it is not set.
        BadInput: what it holds cannot be a key. The message does not repeat it.
    """
    name = key_variable(teacher, options)
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
