"""TRL's words: which there are, what type each is, and the objects that TRL makes of them.

They are read off the dataclasses of `trl sft`, so a TRL that has more words has them here as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

from wrongcot_data.errors import BadInput, Unavailable, WrongcotError, missing_extra, unknown
from wrongcot_train.config import OWN, OwnSettings

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from trl.trainer.model_config import ModelConfig
    from trl.trainer.sft_config import SFTConfig

SHORT = {
    "student": "model_name_or_path",
    "dataset": "dataset_name",
    "variant": "dataset_config",
    "out": "output_dir",
    "epochs": "num_train_epochs",
    "batch_size": "per_device_train_batch_size",
    "grad_accum": "gradient_accumulation_steps",
}
"""Our shorter flags, and the words they stand for."""

RENAMED = {
    "warmup_ratio": "warmup_steps",
    "torch_dtype": "dtype",
    "max_seq_length": "max_length",
    "evaluation_strategy": "eval_strategy",
    "no_cuda": "use_cpu",
}
"""Words of older files, and what TRL and transformers call these now."""

LAUNCH_FILE = "accelerate_config"
"""How `trl sft` names a file, or one of its own, for `accelerate launch`."""


@dataclass(frozen=True, slots=True)
class Words:
    """The names that a config file may hold.

    Attributes:
        trainer: for TRL's `SFTConfig`.
        model: for its `ModelConfig`.
        script: for where the rows come from.
        launch: for `accelerate launch`, which starts the processes.
        switches: that are true or false, and true where a flag says no more.
    """

    trainer: frozenset[str]
    model: frozenset[str]
    script: frozenset[str]
    launch: frozenset[str]
    switches: frozenset[str]

    @property
    def trl(self) -> frozenset[str]:
        """All of TRL's."""
        return self.trainer | self.model | self.script

    @property
    def all(self) -> frozenset[str]:
        """All that can be said, ours and the block `env` too."""
        return self.trl | self.launch | OWN | {"env"}


@cache
def words() -> Words:
    """The words of the installed TRL and accelerate.

    Raises:
        Unavailable: TRL is not installed.
    """
    try:
        from accelerate.commands.launch import launch_command_parser
        from trl.scripts.utils import DatasetMixtureConfig, ScriptArguments
        from trl.trainer.model_config import ModelConfig
        from trl.trainer.sft_config import SFTConfig
    except ImportError as error:
        raise missing_extra(error.name or "trl", "train") from error
    trainer, model, script = (
        frozenset(field.name for one in group for field in fields(one))
        for group in ((SFTConfig,), (ModelConfig,), (ScriptArguments, DatasetMixtureConfig))
    )
    launcher: Any = launch_command_parser()
    theirs = frozenset(action.dest for action in launcher._actions)
    not_said = {"help", "env", "module", "no_python", "training_script", "training_script_args"}
    switches = frozenset(
        field.name
        for one in (SFTConfig, ModelConfig, ScriptArguments)
        for field in fields(one)
        if "bool" in str(field.type)
    )
    return Words(trainer, model, script, (theirs - trainer - model - script - not_said) | {LAUNCH_FILE}, switches)


def read_flags(flags: Sequence[str]) -> dict[str, Any]:
    """The values of flags such as `--adam-beta2 0.99` or `--adam_beta2=0.99`, as their types.

    Raises:
        BadInput: a flag that is not known, one without its value, or a value of another type.
    """
    given: dict[str, Any] = {}
    rest = [part for flag in flags for part in (flag.split("=", 1) if flag.startswith("--") else [flag])]
    while rest:
        flag = rest.pop(0)
        if not flag.startswith("--"):
            raise BadInput(f"unexpected argument {flag!r}", try_=["--NAME VALUE"])
        name = SHORT.get(plain := flag[2:].replace("-", "_"), plain)
        check_known(name, "option", flag)
        values = []
        while rest and not rest[0].startswith("--"):
            values.append(rest.pop(0))
        given[name] = _of_flag(name, values)
    return given


def _of_flag(name: str, values: Sequence[str]) -> Any:
    if name in words().trl - OWN:
        return typed(name, values or (["true"] if name in words().switches else []))
    if not values:  # a switch
        return True
    return _own_value(name, values[0]) if len(values) == 1 else list(values)


def _own_value(name: str, text: str) -> Any:
    """A word of ours or of the launcher: as YAML would read it."""
    from wrongcot_data.spec import parse_yaml

    plain = name not in OwnSettings.model_fields and text not in {"true", "false"} and not text.isdecimal()
    return text if plain else parse_yaml(text)


def typed_layer(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a config file as their types; YAML reads `1e-5` as text.

    Raises:
        BadInput: a name that is not known, or a value of another type.
    """
    found = {}
    for key, value in values.items():
        name = SHORT.get(key, key)
        check_known(name, "config key", name)
        found[name] = _checked(name, value) if name in words().trl - OWN else value
    return found


def check_known(name: str, kind: str, said: str) -> None:
    """See that a name is a word; `said` is how it was written.

    Raises:
        BadInput: it is none; the message has what it is called now, or the nearest word.
    """
    if name in words().all:
        return
    if name in RENAMED:
        raise BadInput(f"unknown {kind} {said!r}: it is called {RENAMED[name]} now", try_=[f"{RENAMED[name]}: ..."])
    dashes = "--" if said.startswith("--") else ""
    raise unknown(kind, said, {dashes + one for one in words().all})


def _checked(name: str, value: Any) -> Any:
    """A value of a config file for one of TRL's words: text as TRL reads it, a number where a number is meant."""
    if name.endswith("_strategy") and value is False:
        return "no"  # YAML reads the bare word as false
    if value is None or isinstance(value, bool | dict):
        return value
    if isinstance(value, list):
        return typed(name, [str(one) for one in value]) if value else value
    read = typed(name, [str(value)])
    return value if read == value else read


def typed(name: str, texts: Sequence[str]) -> Any:
    """The value of one of TRL's words from its text, by TRL's own parser.

    Raises:
        BadInput: it is none.
    """
    parsed, rest = _parser().parse_known_args([f"--{name}", *texts])
    if rest:
        raise BadInput(f"{name} takes one value, not {' '.join(texts)!r}")
    return getattr(parsed, name)


@cache
def _parser() -> ArgumentParser:
    from trl.scripts.utils import DatasetMixtureConfig, ScriptArguments, TrlParser
    from trl.trainer.model_config import ModelConfig
    from trl.trainer.sft_config import SFTConfig

    class Parser(TrlParser):
        def error(self, message: str) -> Any:
            raise BadInput(re.sub(r"^argument --([^/:]+)[^:]*", r"\1", message))

    kinds: Any = [ScriptArguments, SFTConfig, ModelConfig, DatasetMixtureConfig]
    parser: ArgumentParser = Parser(kinds)
    return parser


def of_trainer(values: Mapping[str, Any]) -> SFTConfig:
    """TRL's settings of a trainer.

    Raises:
        BadInput: TRL refuses a value, or two of them together.
    """
    from trl.trainer.sft_config import SFTConfig

    made: SFTConfig = _made(SFTConfig, _picked(values, words().trainer - OWN | {"packing"}))
    return made


def of_model(values: Mapping[str, Any]) -> ModelConfig:
    """TRL's settings of a model: precision, adapter, quantisation.

    Raises:
        BadInput: as `of_trainer`.
    """
    from trl.trainer.model_config import ModelConfig

    made: ModelConfig = _made(ModelConfig, _picked(values, words().model))
    return made


def _picked(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


def _made(kind: Any, values: Mapping[str, Any]) -> Any:
    try:
        return kind(**values)
    except Exception as error:
        raise refused(error) from error


def refused(error: Exception) -> WrongcotError:
    """What to say where TRL, or what it is made of, does not take the settings.

    Its own classes are set up from settings alone, so what they raise there is about the settings, whatever its kind.
    """
    said = " ".join(str(error).split()) or type(error).__name__
    said = f"{said[:300]}..." if len(said) > 300 else said
    if isinstance(error, ImportError) or "not installed" in said or "is required" in said:
        return Unavailable(f"a setting needs what is not installed: {said}", try_=["--show-config    (to see which)"])
    return BadInput(f"TRL refuses the settings: {said}", try_=["--show-config    (each value and where it is from)"])


def trl_defaults() -> dict[str, Any]:
    """The defaults of all TRL's words, for `--show-config`."""
    from trl.scripts.utils import DatasetMixtureConfig, ScriptArguments
    from trl.trainer.model_config import ModelConfig
    from trl.trainer.sft_config import SFTConfig

    return {
        field.name: field.default_factory() if field.default_factory is not MISSING else field.default
        for kind in (ScriptArguments, SFTConfig, ModelConfig, DatasetMixtureConfig)
        for field in fields(kind)
    }
