"""What can be set on a fine-tuning run, and where each value came from.

The names are TRL's own words (a file for `trl sft` works), and a few of ours. A later layer wins over an earlier one:
TRL's defaults, ours, a preset, the config file, flags.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field

from wrongcot_data.errors import BadInput, unknown
from wrongcot_data.spec import content_hash, parse_model

DEFAULT = "wrongcot default"
"""The origin of a value that nobody gave; ours, not TRL's."""

FULL_LEARNING_RATE = 1e-5
LORA_LEARNING_RATE = 1e-4


@dataclass(frozen=True, slots=True)
class Reasoned:
    """A default, and why it is this one. "The paper" is arXiv 2512.22255 as far as its released scripts tell."""

    value: Any
    why: str


DEFAULTS: Mapping[str, Reasoned] = {
    "num_train_epochs": Reasoned(10, "the paper's"),
    "per_device_train_batch_size": Reasoned(4, "the paper's; fits a 2B student on one GPU"),
    "gradient_accumulation_steps": Reasoned(16, "the paper's: 64 rows a step on one device"),
    "lr_scheduler_type": Reasoned("linear", "the paper's"),
    "warmup_steps": Reasoned(0.1, "the paper's; below 1 a share of all steps"),
    "weight_decay": Reasoned(0.05, "the paper's"),
    "seed": Reasoned(42, "the paper's; orders the rows and starts an adapter"),
    "max_length": Reasoned(None, "the longest row: what is cut first is the answer and the stop"),
    "use_peft": Reasoned(False, "the paper trains all weights"),
    "lora_r": Reasoned(16, "TRL's; small beside any student's width"),
    "lora_alpha": Reasoned(32, "TRL's; twice the rank"),
    "lora_dropout": Reasoned(0.0, "so that a run depends on the order of rows only"),
    "lora_target_modules": Reasoned(["all-linear"], "all linear layers: an adapter on fewer learns less"),
    "completion_only_loss": Reasoned(True, "the prompt is what the student is given"),
    "logging_steps": Reasoned(1, "a step is many rows, and a loss that breaks is seen at once"),
    "logging_nan_inf_filter": Reasoned(False, "it hides a loss that is no number behind the last one that was"),
    "save_total_limit": Reasoned(2, "a kill during a save leaves the one before"),
    "report_to": Reasoned("none", "nothing leaves the machine unasked"),
    "disable_tqdm": Reasoned(True, "a line a step is told instead"),
}
"""What we set where nobody says otherwise; everything else is TRL's default. `learning_rate` is in
`default_values`, what the machine decides in `device.py`."""


class OwnSettings(BaseModel, extra="forbid", frozen=True):
    """The words that TRL does not have, and `packing`, which can say more here."""

    packing: bool | Literal["auto"] = Field(
        "auto",
        description="auto packs rows without cross-talk where that is proven equal, and keeps as many rows a step as "
        "were asked for; true is TRL's own, where a batch counts packed sequences",
    )
    allow_truncation: bool = Field(
        False, description="a row that is cut teaches the student not to stop, so: ask first"
    )
    prompt_format: Literal["auto", "chat", "plain-v1"] = Field(
        "auto",
        description="auto is chat where the tokenizer has a chat template, and plain for the paper's base students",
    )
    curve_items: int = Field(0, ge=0, description="items scored at step 0 and at each checkpoint; 0 draws no curve")
    curve_task: str | None = Field(None, description="whose items; none: the task of the data set")
    curve_split: str | None = Field(
        None, description="none: the validation split, or training problems that are not in the data set"
    )
    curve_engine: str = Field("transformers", description="what runs the student; any other is a process of its own")
    curve_max_tokens: int | None = Field(None, ge=1, description="of a reply; none: what suits the task")


OWN = frozenset(OwnSettings.model_fields)


class Bounds(BaseModel):
    """What TRL's words must be between, where it would not say so before it divides by them."""

    learning_rate: float = Field(1, gt=0, allow_inf_nan=False)
    num_train_epochs: float = Field(1, gt=0, allow_inf_nan=False)
    max_steps: int | None = Field(None, ge=-1)
    adam_beta1: float = Field(0, ge=0, lt=1)
    adam_beta2: float = Field(0, ge=0, lt=1)
    adam_epsilon: float = Field(0, ge=0, allow_inf_nan=False)
    max_grad_norm: float = Field(1, ge=0)
    per_device_train_batch_size: int = Field(1, ge=1)
    gradient_accumulation_steps: int = Field(1, ge=1)
    max_length: int | None = Field(None, ge=1)
    warmup_steps: float = Field(0, ge=0)
    weight_decay: float = Field(0, ge=0)
    lora_r: int = Field(1, ge=1)
    lora_alpha: int = Field(1, ge=1)
    lora_dropout: float = Field(0, ge=0, lt=1)
    seed: int = Field(0, ge=0, lt=2**32)


OUTSIDE: Mapping[str, str] = {
    "model_name_or_path": "the revision of the weights tells",
    "model_revision": "the revision of the weights tells",
    "dataset_name": "the hash of the rows tells",
    "dataset_config": "the hash of the rows tells",
    "output_dir": "a place",
    "resume_from_checkpoint": "a resumed run equals a straight one",
    **dict.fromkeys(
        ("logging_steps", "logging_first_step", "logging_strategy", "logging_nan_inf_filter"), "what is told"
    ),
    **dict.fromkeys(("report_to", "run_name", "project", "trackio_space_id", "disable_tqdm"), "what is told"),
    **dict.fromkeys(("log_level", "log_level_replica", "include_num_input_tokens_seen"), "what is told"),
    **dict.fromkeys(
        ("save_steps", "save_strategy", "save_total_limit", "save_only_model", "enable_jit_checkpoint"), "what is kept"
    ),
    **dict.fromkeys(("push_to_hub", "hub_model_id", "hub_strategy", "hub_token", "hub_private_repo"), "what is sent"),
    **dict.fromkeys(("curve_items", "curve_task", "curve_split", "curve_engine", "curve_max_tokens"), "what is scored"),
    **dict.fromkeys(("dataloader_num_workers", "dataloader_pin_memory", "dataset_num_proc", "ddp_timeout"), "speed"),
}
"""The settings that do not decide which student comes out, with the reason: outside the hash."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Values from one place; `origin` is how the user would call it."""

    origin: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SftConfig:
    """Settings of one run: those that were given or that we default, and the origin of each."""

    values: Mapping[str, Any]
    origins: Mapping[str, str]

    @property
    def own(self) -> OwnSettings:
        """The words that are not TRL's."""
        return OwnSettings(**{name: value for name, value in self.values.items() if name in OWN})

    def __getitem__(self, name: str) -> Any:
        """The value of a setting that was given or that we default."""
        return self.values[name]


def resolve(layers: Iterable[Layer], known: Iterable[str] = ()) -> SftConfig:
    """Lay the layers over our defaults, the last on top.

    Args:
        known: TRL's words; where given, any other name is an error with the nearest one.

    Raises:
        BadInput: a name that is not known, or a value of ours that cannot be.
    """
    words = {*known, *OWN, *DEFAULTS}
    given: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        for name, value in layer.values.items():
            if known and name not in words:
                raise unknown("config key", name, words)
            given[name], origins[name] = value, layer.origin
    for kind in (OwnSettings, Bounds):
        parse_model(kind, {name: value for name, value in given.items() if name in kind.model_fields})
    _check_meant(given)
    values = {**default_values(given), **given}
    return SftConfig(values, {**dict.fromkeys(values, DEFAULT), **origins})


def _check_meant(given: Mapping[str, Any]) -> None:
    """Refuse what TRL would take and what cannot be meant here.

    Raises:
        BadInput: one of these.
    """
    if given.get("max_steps") == 0:
        raise BadInput("max_steps 0 trains nothing", try_=["--dry-run", "--epochs 1"])
    if given.get("completion_only_loss") is False:
        raise BadInput(
            "completion_only_loss false trains the prompt, which the student is given",
            try_=["completion_only_loss: true    (or without it)"],
        )
    if str(given.get("eval_strategy") or "no") not in {"no", "IntervalStrategy.NO"}:
        raise BadInput(
            "eval_strategy needs a split of the data set to compute a loss on, and there is none",
            try_=["--curve-items 64    (accuracy at each checkpoint)", "eval_strategy: 'no'"],
        )
    if given.get("packing_strategy", "bfd") == "wrapped":
        raise BadInput(
            "packing_strategy wrapped cuts rows and lets each see its neighbours", try_=["packing_strategy: bfd"]
        )


def default_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Our defaults beside what was given.

    The learning rate is always written out: the paper's is not certain (1e-6 to 1e-5). 1e-5 moves a small student in
    few steps; adapters start at zero and need about ten times that.
    """
    rate = LORA_LEARNING_RATE if given.get("use_peft") else FULL_LEARNING_RATE
    own = {name: field.default for name, field in OwnSettings.model_fields.items()}
    return {"learning_rate": rate, **{name: one.value for name, one in DEFAULTS.items()}, **own}


def settings(**values: Any) -> SftConfig:
    """A config from values in code."""
    return resolve([Layer("code", values)])


def config_hash(config: SftConfig) -> str:
    """The name of exactly these settings: `v2:` and the SHA-256 of their canonical JSON, without those `OUTSIDE`."""
    deciding = {name: value for name, value in config.values.items() if name not in OUTSIDE}
    return f"v2:{content_hash(deciding)}"
