"""From a config, a student and its traces to a trainer that is ready for its first step."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrongcot_data.engines.tokens import unknown_token
from wrongcot_data.errors import BadInput, Unavailable, missing_extra
from wrongcot_train.audit import Audit, audit_rows
from wrongcot_train.config import DEFAULT, SftConfig, resolve
from wrongcot_train.data import TraceSet, trl_rows
from wrongcot_train.device import Device, find_device, machine_layer, world_size
from wrongcot_train.sft.packing import Packing, check_separation, pack
from wrongcot_train.sft.rows import check_ends, limit_of, stop_ids, trl_tokens, use_template
from wrongcot_train.students import CHAT, Student, load_tokenizer, prompt_form
from wrongcot_train.words import of_model, of_trainer, refused

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from trl.trainer.sft_trainer import SFTTrainer


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that have passed the audit, and how their prompts are asked."""

    rows: Dataset
    audit: Audit
    form: str
    tokenizer: PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that is ready for its first step.

    Attributes:
        rows: as TRL made them, one a trace, not packed yet.
        steps: optimiser steps of the whole run.
    """

    trainer: SFTTrainer
    rows: Dataset
    audit: Audit
    form: str
    packing: Packing
    steps: int
    device: Device


SHORT_RUN = 50
"""Steps below which a run has no checkpoints unless it is asked for them."""

CHECKPOINTS_A_RUN = 10


def on_this_machine(config: SftConfig) -> SftConfig:
    """The config with what the machine decides, below everything that a person said."""
    adapter = bool(config["use_peft"])
    layer = machine_layer(find_device(), adapter)
    below = resolve([layer])
    values = {**layer.values, **config.values}
    origins = {**{name: below.origins[name] for name in layer.values}, **config.origins}
    return SftConfig(values, origins)


def prepare_rows(config: SftConfig, student: Student, traces: TraceSet) -> Rows:
    """Let TRL make the rows and audit them; no weights are loaded.

    Raises:
        BadInput: no tokenizer, one without an end-of-sequence token, chat turns without a chat template.
        CheckFailed: the audit found a fault.
        Unavailable: a package is missing.
    """
    tokenizer = load_tokenizer(student.folder)
    use_template(tokenizer, config.values)
    check_ends(tokenizer, config)
    text = isinstance(traces.rows[0]["prompt"], str)
    form = prompt_form(student.model, tokenizer, "plain-v1" if text else config.own.prompt_format)
    if form != CHAT:
        tokenizer.chat_template = None  # so that whoever asks the saved student asks it as it was trained
    limit = limit_of(student.folder, config)
    cut = config.own.allow_truncation
    rows = trl_tokens(trl_rows(traces.rows, form == CHAT), tokenizer, config, limit if cut else None)
    audit = audit_rows(
        rows,
        tokenizer,
        stop_ids(student.folder, tokenizer),
        limit=limit,
        asked=len(traces.rows),
        allow_truncation=cut,
    )
    return Rows(rows, audit, form, tokenizer)


def prepare(config: SftConfig, student: Student, traces: TraceSet, folder: Path) -> Prepared:
    """Make and audit the rows, load the student, pack, and set up TRL's trainer; its checkpoints will be in `folder`.

    Raises:
        BadInput, CheckFailed, Unavailable: as `prepare_rows`; a loss that is no number; settings that TRL refuses.
    """
    config = on_this_machine(config)
    check_installed(config)
    ready = prepare_rows(config, student, traces)
    model = load_model(student.folder, config)
    check_vocabulary(model, ready.rows)
    if config.own.packing is False:
        check_separation(model, ready.rows, "--dtype float32")  # for the loss only: whether it is a number
    rows, packing = pack(ready.rows, config, model)
    steps = count_steps(config, packing)
    trainer = _trainer(model, ready.tokenizer, rows, config=config, packing=packing, steps=steps, folder=folder)
    return Prepared(trainer, ready.rows, ready.audit, ready.form, packing, steps, find_device())


def check_installed(config: SftConfig) -> None:
    """See that what a setting needs is there, where TRL would only miss it after the weights are loaded.

    Raises:
        Unavailable: it is not.
    """
    from transformers.utils.import_utils import is_liger_kernel_available

    if config.values.get("use_liger_kernel") and not is_liger_kernel_available():
        raise Unavailable(
            "use_liger_kernel needs the package liger-kernel, which is not installed",
            try_=["pip install liger-kernel    (it needs a GPU)", "--use-liger-kernel false"],
        )


def load_model(folder: Path, config: SftConfig) -> PreTrainedModel:
    """The student's weights, in the precision that the config says.

    Raises:
        BadInput: they do not load.
        Unavailable: quantisation without bitsandbytes.
    """
    import transformers
    from trl.trainer.utils import get_quantization_config

    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    said = of_model(config.values)
    quantised = get_quantization_config(said)
    if quantised is not None and not said.use_peft:
        raise BadInput("quantised weights cannot be trained themselves, only an adapter on them", try_=["--lora"])
    options: dict[str, Any] = {"dtype": said.dtype, "attn_implementation": said.attn_implementation}
    if quantised is not None:
        options |= {"quantization_config": quantised, "device_map": {"": 0 if find_device().gpu else "cpu"}}
    options |= _mapping(config.values.get("model_init_kwargs"))
    loader: Any = transformers.AutoModelForCausalLM
    try:
        model, told = loader.from_pretrained(folder, output_loading_info=True, **options)
    except ImportError as error:
        if quantised is not None:
            raise missing_extra("bitsandbytes", "qlora") from error
        raise Unavailable(
            f"the student cannot be loaded so: {_said(error)}", try_=["--attn-implementation sdpa"]
        ) from error
    except Exception as error:  # of many kinds, all about these files and options
        raise BadInput(f"the weights in {folder} do not load: {_said(error)}", try_=["another model"]) from error
    if told["missing_keys"]:
        names = sorted(told["missing_keys"])
        raise BadInput(
            f"{folder} lacks {len(names)} weights that its config asks for, such as {names[0]}; training would begin "
            "with random ones",
            try_=["another model, or its files again"],
        )
    model.config.use_cache = False
    if find_device().gpu and world_size() == 1 and quantised is None:
        model.to("cuda")  # where the proof of packing is to hold
    loaded: PreTrainedModel = model
    return loaded


def _mapping(value: Any) -> dict[str, Any]:
    """A setting that is a mapping, or on the command line its JSON.

    Raises:
        BadInput: it is neither.
    """
    try:
        read = json.loads(value) if isinstance(value, str) else value or {}
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise BadInput(f"model_init_kwargs must be a mapping, not {value!r}", try_=['{"NAME": VALUE}'])
    return read


def _said(error: Exception) -> str:
    """An error of a library in one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return f"{text[:300]}..." if len(text) > 300 else text


def check_vocabulary(model: PreTrainedModel, rows: Dataset) -> None:
    """See that the student has an embedding for every token of its rows.

    Raises:
        BadInput: its tokenizer is another model's.
    """
    embeddings: Any = model.get_input_embeddings()
    largest = max(max(ids) for ids in rows["input_ids"])
    if story := unknown_token([largest], int(embeddings.num_embeddings)):
        raise BadInput(story, try_=["another model, or its tokenizer again"])


def count_steps(config: SftConfig, packing: Packing) -> int:
    """Optimiser steps of a run, as the trainer counts them."""
    asked = int(config.values.get("max_steps") or -1)
    if asked > 0:
        return asked
    batches = math.ceil(packing.sequences / (packing.batch_size * world_size()))
    epochs = float(config["num_train_epochs"])
    return math.ceil(epochs * max(1, math.ceil(batches / packing.accumulation)))


def saving(config: SftConfig, steps: int) -> dict[str, Any]:
    """When checkpoints are written, where nobody said: ten a run; none in one so short that it is soon begun again."""
    if config.values.get("save_strategy") or config.values.get("save_steps"):
        return {}
    if steps < SHORT_RUN and not config.own.curve_items:
        return {"save_strategy": "no"}
    return {"save_strategy": "steps", "save_steps": max(1, math.ceil(steps / CHECKPOINTS_A_RUN))}


def _trainer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Dataset,
    *,
    config: SftConfig,
    packing: Packing,
    steps: int,
    folder: Path,
) -> SFTTrainer:
    from transformers import PrinterCallback
    from trl.trainer.sft_trainer import SFTTrainer
    from trl.trainer.utils import get_peft_config

    values = {
        **config.values,
        **saving(config, steps),
        "max_steps": config.values.get("max_steps") or -1,
        "output_dir": str(folder),
        "per_device_train_batch_size": packing.batch_size,
        "gradient_accumulation_steps": packing.accumulation,
        "packing": packing.on,
        "max_length": packing.length,
        # The rows are tokenised, audited and packed: TRL has nothing to do to them any more.
        "dataset_kwargs": {"skip_prepare_dataset": True},
        "warmup_steps": warmup(config, steps),
        # Every step, whatever was asked: a loss that is no number is seen where it happens.
        "logging_strategy": "steps",
        "logging_steps": 1,
        "save_total_limit": _two_or_more(config["save_total_limit"]),
        "chat_template_path": None,
    }
    arguments, adapter = of_trainer(values), get_peft_config(of_model(config.values))
    try:
        trainer = SFTTrainer(
            model=model, args=arguments, train_dataset=rows, processing_class=tokenizer, peft_config=adapter
        )
        if world_size() == 1:  # several processes first share out the weights
            trainer.create_optimizer_and_scheduler(num_training_steps=steps)
    except Exception as error:
        raise refused(error) from error
    trainer.remove_callback(PrinterCallback)  # it writes to stdout, where only results go
    return trainer


def warmup(config: SftConfig, steps: int) -> float:
    """Steps of warm-up, or below 1 their share. The first of them has a learning rate of 0.

    Raises:
        BadInput: the warm-up that was asked for takes all steps, so that nothing would be learned.
    """
    asked = float(config["warmup_steps"])
    taken = asked if asked >= 1 else math.ceil(asked * steps)
    if taken < steps:
        return asked
    if config.origins["warmup_steps"] == DEFAULT:
        return 0
    raise BadInput(f"the warm-up takes all {steps} steps, so nothing would be learned", try_=["--warmup-steps 0"])


def _two_or_more(limit: int | None) -> int | None:
    """Checkpoints that are kept: with one, a kill during a save would leave none."""
    return limit if limit is None else max(2, limit)
