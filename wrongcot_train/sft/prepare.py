"""From a config, a student and its traces to a trainer that is ready for its first step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrongcot_data.errors import BadInput, missing_extra
from wrongcot_train.audit import Audit, audit_rows
from wrongcot_train.config import SftConfig, resolve
from wrongcot_train.data import TraceSet, trl_rows
from wrongcot_train.device import Device, find_device, machine_layer, world_size
from wrongcot_train.sft.packing import Packing, check_separation, pack
from wrongcot_train.sft.rows import check_ends, limit_of, stop_ids, trl_tokens, use_template
from wrongcot_train.students import CHAT, Student, load_tokenizer, prompt_form
from wrongcot_train.words import of_model, of_trainer

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
    ready = prepare_rows(config, student, traces)
    model = load_model(student.folder, config)
    if config.own.packing is False:
        check_separation(model, ready.rows, "--dtype float32")  # for the loss only: whether it is a number
    rows, packing = pack(ready.rows, config, model)
    steps = count_steps(config, packing)
    trainer = _trainer(model, ready.tokenizer, rows, config=config, packing=packing, steps=steps, folder=folder)
    return Prepared(trainer, ready.rows, ready.audit, ready.form, packing, steps, find_device())


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
    options |= config.values.get("model_init_kwargs") or {}
    try:
        model: PreTrainedModel = transformers.AutoModelForCausalLM.from_pretrained(folder, **options)
    except ImportError as error:
        if quantised is None:
            raise missing_extra(str(error.name), "train") from error
        raise missing_extra("bitsandbytes", "qlora") from error
    except (OSError, ValueError) as error:
        raise BadInput(f"the weights in {folder} do not load: {str(error).strip().splitlines()[0]}") from error
    model.config.use_cache = False
    if find_device().gpu and world_size() == 1 and quantised is None:
        model.to("cuda")  # type: ignore[arg-type]  # where the proof of packing is to hold
    return model


def count_steps(config: SftConfig, packing: Packing) -> int:
    """Optimiser steps of a run, as the trainer counts them."""
    asked = config.values.get("max_steps") or -1
    if asked > 0:
        return int(asked)
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


SHORT_RUN = 50
CHECKPOINTS_A_RUN = 10


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
        "save_total_limit": _two_or_more(config["save_total_limit"]),
        "chat_template_path": None,
    }
    trainer = SFTTrainer(
        model=model,
        args=of_trainer(values),
        train_dataset=rows,
        processing_class=tokenizer,
        peft_config=get_peft_config(of_model(config.values)),
    )
    trainer.remove_callback(PrinterCallback)  # it writes to stdout, where only results go
    return trainer


def _two_or_more(limit: int | None) -> int | None:
    """Checkpoints that are kept: with one, a kill during a save would leave none."""
    return limit if limit is None else max(2, limit)
