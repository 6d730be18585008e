"""Everything that decides a build, as data: YAML in, hash out.

`HASH_SCHEME` names how a spec is hashed. Fields outside the hash, and why:

| field | why it is outside |
|---|---|
| engine | the same teacher by another engine draws from the same distribution; every row names its engine |
| engine_options | speed, memory and devices only; what changes replies is in the teacher's revision |
| max_tokens_total, max_minutes | how far a build gets, which its receipt says, not what it is |
| ask_ahead | what a build costs; a data set never holds a reply that was asked ahead in vain |
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from wrongcot_data.errors import BadInput, unknown
from wrongcot_data.teachers.registry import PromptStyle

HASH_SCHEME = "v1"
OUTSIDE_HASH = frozenset({"engine", "engine_options", "max_tokens_total", "max_minutes", "ask_ahead"})

FLAG_KEYS = {
    "variant": "variants",
    "view": "views",
    "mix": "mixes",
    "paraphraser": "paraphrase.paraphraser",
    "of": "paraphrase.of",
    "level": "corrupt.levels",
    "base": "corrupt.base",
    "mode": "corrupt.mode",
    "answer": "corrupt.answer",
    "operator": "corrupt.operators",
    "temperature": "sampling.temperature",
    "top_p": "sampling.top_p",
    "max_tokens": "sampling.max_tokens",
    "source": "problems.source",
    "engine_option": "engine_options",
    "base_url": "engine_options.base_urls",
    "base_urls": "engine_options.base_urls",
}
"""Flags, and other names that one looks for at the top of a config file, with the keys that they are."""

FLAGS_ONLY = ("config", "out", "journal", "dry_run", "json", "accept_unsafe_exec")
"""What a call decides and a spec does not."""

ELSEWHERE = {
    **{name: f"it is {key}" for name, key in FLAG_KEYS.items()},
    **{name: f"it is a flag only, --{name.replace('_', '-')}" for name in FLAGS_ONLY},
}

Model = TypeVar("Model", bound=BaseModel)

VariantName = Literal["reference", "right", "wrong", "paraphrase", "corrupt"]
VARIANTS: tuple[VariantName, ...] = ("reference", "right", "wrong")
"""Built unless the spec says otherwise."""

TEACHER = "teacher:"
"""Before the name of a model, as an operator of `corrupt`: that model is asked for mistakes."""

BaseName = Literal["reference", "right", "wrong"]

MAX_SHARE = 1_000_000
"""Of a part of a mix: what is larger is a slip."""

Match = Literal["none", "problems", "size", "tokens"]
"""What all variants of a data set have alike: nothing; the same problems, each with as many rows; the same number of
rows; the same number of tokens, up to less than the shortest row that was left out."""

ViewName = Literal["preference", "stepwise"]


class SamplingSpec(BaseModel, extra="forbid", frozen=True):
    """How a reply is drawn."""

    temperature: float = Field(
        0.8, ge=0, le=5, description="0 is greedy; the paper's is not known, 0.8 gives distinct traces"
    )
    top_p: float = Field(0.95, gt=0, le=1, description="cuts the tail that breaks small teachers' replies")
    max_tokens: int | None = Field(None, ge=1, description="none: what suits the task")


class ParaphraseSpec(BaseModel, extra="forbid", frozen=True):
    """Who rewrites which traces, where `paraphrase` is among the variants."""

    paraphraser: str | None = Field(
        None, description="a teacher, or self:STUDENT, the model that will be trained; none: the build's teacher"
    )
    of: BaseName = Field("reference", description="human traces as a default: the paper's way towards the student")


class CorruptSpec(BaseModel, extra="forbid", frozen=True):
    """How correct traces are made wrong; part of the hash only where `corrupt` is built."""

    levels: tuple[Annotated[int, Field(ge=0, le=100)], ...] = Field(
        (0, 25, 50, 75, 100), min_length=1, description="percent of the checkable steps made wrong; a config each"
    )
    base: Literal["reference", "right"] = Field(
        "reference", description="what is corrupted; reference needs no teacher"
    )
    mode: Literal["slip", "propagate"] = Field(
        "slip", description="later steps stay as they were, or are computed again from the wrong value"
    )
    answer: Literal["keep", "propagate", "replace"] | None = Field(
        None, description="what becomes of the answer; none: keep with slip, propagate with propagate"
    )
    operators: tuple[str, ...] = Field(
        (
            *("slip", "operator-swap", "quantity-swap", "mix-up"),
            *("dropped", "reordered", "spliced"),
            *("comparison", "boundary", "constant", "arithmetic", "variable", "removed"),
        ),
        min_length=1,
        description="who proposes edits, where they fit the task, one of them perhaps teacher:NAME, a model that is"
        " asked; an installed plugin changes no build unasked",
    )

    @property
    def teacher(self) -> str | None:
        """The model that is asked for mistakes; None where none is."""
        return next((name.removeprefix(TEACHER) for name in self.operators if name.startswith(TEACHER)), None)

    @model_validator(mode="after")
    def _once_and_in_order(self) -> CorruptSpec:
        if len(set(self.levels)) != len(self.levels) or len(set(self.operators)) != len(self.operators):
            raise ValueError("a level or an operator is named twice")
        if sum(name.startswith(TEACHER) for name in self.operators) > 1:
            raise ValueError("one teacher can be asked for mistakes, not several")
        return self


class BuildSpec(BaseModel, extra="forbid", frozen=True):
    """What to build. The names are YAML keys, manifest fields and words of the card; `FLAG_KEYS`: how flags differ."""

    task: str = Field(description="where problems come from and how answers are graded")
    teacher: str = Field("gemma-9b", description="registry name, Hub id or path; the paper's family as default")
    variants: tuple[VariantName, ...] = Field(VARIANTS, min_length=1, description="the sets to cut from the pool")
    views: tuple[ViewName, ...] | None = Field(
        None, description="more configs from the same rows; none: all, where right and wrong are both there"
    )
    limit: int = Field(1000, ge=1, le=10**7, description="problems; all of them are held in memory")
    per_problem: int = Field(1, ge=1, description="distinct traces a problem, of right and of wrong each")
    match: Match = Field("none", description="what all variants have alike, so that a comparison changes one thing")
    tokenizer: str = Field("", description="whose tokens --match tokens counts: the student's, as path or Hub id")
    mixes: tuple[dict[str, float], ...] = Field(
        (), description="sets that take each problem from one of several variants, by share"
    )
    max_attempts: int = Field(8, ge=1, description="replies asked for a problem before it is given up")
    give_up_below: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="chance that a problem's next reply brings something missing, below which it is given up as"
        " hopeless; 0.05 is 20 replies for one trace; 0 gives none up early",
    )
    ask_ahead: float = Field(
        0.8,
        gt=0,
        le=2,
        description="while the engine has room: ask a reply before it is certain to be needed if it is at least this"
        " likely to be; 2 asks none. At 0.8 one in five is in vain at most",
    )
    max_tokens_total: int | None = Field(
        None, ge=1, description="tokens the teacher may write for this build in all; none: no limit"
    )
    max_minutes: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="minutes this call may go on asking; none: no limit"
    )
    seed: int = Field(0, ge=0, lt=2**63, description="one seed rules problems and replies")
    split: str = Field("train", description="students are scored on the others")
    problems: dict[str, Any] = Field(default_factory=dict, description="the task's own options")
    prompt: PromptStyle | None = Field(None, description="none: the style that suits the teacher")
    sampling: SamplingSpec = Field(default_factory=SamplingSpec, description="how replies are drawn")
    paraphrase: ParaphraseSpec = Field(default_factory=ParaphraseSpec, description="who rewrites which traces")
    corrupt: CorruptSpec = Field(default_factory=CorruptSpec, description="how the variant corrupt is made")
    engine: str | None = Field(None, description="none: the teacher's own, else transformers")
    engine_options: dict[str, Any] = Field(default_factory=dict, description="the engine's own options")

    @model_validator(mode="after")
    def _each_variant_once(self) -> BuildSpec:
        if len(set(self.variants)) != len(self.variants):
            raise ValueError("a variant is named twice")
        if len(set(self.views or ())) != len(self.views or ()):
            raise ValueError("a view is named twice")
        return self

    @model_validator(mode="after")
    def _mixes_are_of_several_parts(self) -> BuildSpec:
        for shares in self.mixes:
            if len(shares) < 2 or not all(0 < share <= MAX_SHARE for share in shares.values()):
                raise ValueError(f"a mix takes two variants or more, each with a share above 0 and up to {MAX_SHARE:,}")
        return self

    @model_validator(mode="after")
    def _tokens_are_somebodys(self) -> BuildSpec:
        if self.match == "tokens" and not self.tokenizer:
            raise ValueError("matching tokens needs a tokenizer")
        return self


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def spec_hash(spec: BuildSpec) -> str:
    """`v1:` and 16 hex digits of the SHA-256 of the canonical JSON of every field inside the hash."""
    inside = spec.model_dump(mode="json", exclude=set(OUTSIDE_HASH))
    inside["variants"] = sorted(inside["variants"])
    if "paraphrase" not in spec.variants:
        del inside["paraphrase"]  # nobody is asked to rewrite anything
    inside["views"] = sorted(inside["views"] or [])
    if "corrupt" not in spec.variants:
        del inside["corrupt"]  # it decides nothing
    return f"{HASH_SCHEME}:{content_hash(inside)[:16]}"


def content_hash(value: Any) -> str:
    """SHA-256, in hex, of a plain value's canonical JSON: sorted keys, no spaces, UTF-8."""
    return hashlib.sha256(_CANONICAL.encode(value).encode("utf-8", "surrogatepass")).hexdigest()


def derive_seed(*parts: Any) -> int:
    """A 63-bit seed from content: never `seed + index`, which makes neighbouring builds share items."""
    return int(content_hash(list(parts))[:16], 16) >> 1


def read_config(path: Path, hint: str = "--config FILE    (YAML; docs/build.md has an example)") -> dict[str, Any]:
    """The fields of a YAML config file.

    Args:
        hint: what to try where there is no such file.

    Raises:
        BadInput: the file cannot be read, is no YAML or no mapping.
    """
    try:
        value = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}", try_=[hint]) from error
    except ValueError as error:
        raise BadInput(f"{path} is no YAML: {_first_line(error)}") from error
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise BadInput(f"{path} must hold `name: value` lines at its top level, not a {type(value).__name__}")
    return value


class _EachOnce(yaml.SafeLoader):
    """YAML as it is defined: a name that stands there twice is a fault. PyYAML takes the last and says nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping, once its own names are seen to differ; what `<<` merges in may be said again."""
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.value != "<<"]
        twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
        if twice is not None:
            raise yaml.YAMLError(f"{twice!r} stands there twice (line {node.start_mark.line + 1} and after)")
        return super().construct_mapping(node, deep)


def parse_yaml(text: str) -> Any:
    """The value of a YAML text.

    Raises:
        ValueError: it is none, says a name twice, has a date that does not exist, or nests too deep.
    """
    try:
        return yaml.load(text, _EachOnce)  # noqa: S506  a SafeLoader
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from error


def make_spec(fields: Mapping[str, Any]) -> BuildSpec:
    """A spec from plain values.

    Raises:
        BadInput: an unknown field (with the true or the nearest one), a value that a field does not take, or no task.
    """
    for name in fields:
        if name not in BuildSpec.model_fields and (truly := ELSEWHERE.get(name.replace("-", "_"))):
            raise BadInput(f"unknown config key {name!r}: {truly}")
    spec = parse_model(BuildSpec, {"task": "", **fields})
    if not spec.task:
        raise BadInput(
            "which task?",
            try_=["wrongcot-data build TASK    (or `task: TASK` in a config file)", "wrongcot-data tasks"],
        )
    return spec


def parse_model(model: type[Model], fields: Mapping[str, Any], where: str = "") -> Model:
    """A pydantic model from plain values, its faults as one `BadInput` line.

    Args:
        where: the path of this model in the file, such as `sampling.`, for messages.
    """
    for name in fields:
        if name not in model.model_fields:
            raise unknown("config key", name, model.model_fields, where)
    try:
        return model.model_validate(dict(fields))
    except ValidationError as error:
        raise BadInput(_explain(error, model, where)) from error


def _explain(error: ValidationError, model: type[BaseModel], where: str) -> str:
    faults = error.errors()
    first = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
    path = where + ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        parent = model.model_fields[str(first["loc"][0])].annotation
        known = getattr(parent, "model_fields", {})
        prefix = where + ".".join(str(part) for part in first["loc"][:-1]) + "."
        return unknown("config key", str(first["loc"][-1]), known, prefix).message
    if first["type"] == "literal_error":
        choices = first["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        name = [str(part) for part in first["loc"] if isinstance(part, str)][-1]
        return unknown(name.removesuffix("s"), str(first["input"]), choices).message
    return f"{path or 'config'}: {first['msg'][0].lower()}{first['msg'][1:]} (got {_short(first['input'])})"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
