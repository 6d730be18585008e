"""Fine-tune a student on one variant with TRL's `SFTTrainer`: this module sets what TRL needs, audits, trains, saves.

The loss is on the completion only; one row is one sequence; nothing is cut.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrongcot_data.errors import BadInput, CheckFailed, missing_extra
from wrongcot_data.spec import content_hash
from wrongcot_train.audit import Audit, audit_rows
from wrongcot_train.config import SftConfig, config_hash
from wrongcot_train.data import CHAT, PLAIN, TraceSet, read_traces, trl_rows
from wrongcot_train.outputs import versions, whole_folder, write_json
from wrongcot_train.students import Student, find_student, get_student, is_chat, load_tokenizer

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from trl.trainer.sft_trainer import SFTTrainer

RECORD = "sft.json"
"""What a student's folder says of how it was made."""

LOSSES = "training.jsonl"
"""TRL's log in a student's folder, one line a step."""

ADAPTER = "adapter"

TRL_SETTINGS = {
    "learning_rate",
    "num_train_epochs",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "lr_scheduler_type",
    "warmup_steps",
    "weight_decay",
    "eos_token",
    "seed",
}
"""The settings that go to TRL as they are."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that is ready for its first step: it has passed the audit."""

    trainer: SFTTrainer
    audit: Audit
    form: str
    steps: int


@dataclass(frozen=True, slots=True)
class SftSpec:
    """Who is trained on what, and how.

    Attributes:
        student: registry name, Hub id or path.
        dataset: folder with the data set.
        variant: which of its trace sets.
        name: how others find the data set, such as `ORG/NAME@v1.2.0`; empty where the folder is all there is.
        commit: of it on the Hub; empty where it comes from none.
    """

    student: str
    dataset: Path
    variant: str
    config: SftConfig
    name: str = ""
    commit: str = ""


def sft(spec: SftSpec, out: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Train a student and save it in `out`; where `out` holds exactly this run already, nothing is done.

    `say` takes one line for the person at the terminal.

    Returns:
        the record, as in `out/sft.json`, and `reused`: whether it was there before.

    Raises:
        BadInput: a name that is not known, a variant without rows, an `out` that holds something else.
        CheckFailed: the audit found a fault, or the loss is no number.
        Unavailable: a package or the weights cannot be had, or the disk is full.
    """
    check_free(out)
    student, traces = _look_up(spec)
    identity = run_identity(spec.config, student, traces)
    if (out / RECORD).is_file():
        return {**_same_run(out, identity), "reused": True}
    with whole_folder(out) as folder:
        ready = prepare(spec.config, student, traces, folder)
        say(f"audit passed: {ready.audit.rows} rows, {ready.audit.trained_tokens} trained tokens, {ready.steps} steps")
        started = time.monotonic()
        losses = _train(ready, folder, say)
        seconds = time.monotonic() - started
        _save(ready.trainer, spec.config, student, folder)
        record = {
            **_plan(spec, student, ready),
            "dataset": spec.name or str(spec.dataset),
            "dataset_commit": spec.commit,
            "dataset_spec_hash": traces.spec_hash,
            "dataset_manifest_sha256": traces.manifest_sha256,
            "rows_sha256": traces.rows_sha256,
            "config_hash": config_hash(spec.config),
            "identity": identity,
            "steps": len(losses),
            "losses": losses,
            "seconds": round(seconds, 1),
            "versions": versions(),
        }
        write_json(folder / RECORD, record)
    return {**record, "reused": False}


def dry_run(spec: SftSpec) -> tuple[dict[str, Any], Audit]:
    """Everything up to the first step: what would be trained on, and its audit. Nothing is kept.

    Raises:
        BadInput, CheckFailed, Unavailable: as `sft`.
    """
    student, traces = _look_up(spec)
    with tempfile.TemporaryDirectory(prefix="wrongcot-dry-run-") as folder:
        ready = prepare(spec.config, student, traces, Path(folder))
    return _plan(spec, student, ready), ready.audit


def _look_up(spec: SftSpec) -> tuple[Student, TraceSet]:
    get_student(spec.student)  # a misspelt name before anything is read
    traces = read_traces(spec.dataset, spec.variant)
    return find_student(spec.student), traces


def _plan(spec: SftSpec, student: Student, ready: Prepared) -> dict[str, Any]:
    audit = {name: value for name, value in asdict(ready.audit).items() if name != "example"}
    return {
        "student": student.model.name,
        "student_revision": student.revision,
        "variant": spec.variant,
        "config": spec.config.model_dump(mode="json"),
        "format": ready.form,
        "audit": audit,
        "steps": ready.steps,
    }


def check_free(out: Path) -> None:
    """Refuse a folder that holds something other than a student of ours.

    Raises:
        BadInput: it does, or it is a file.
    """
    if out.is_file():
        raise BadInput(f"{out} is a file; a student needs a folder", try_=["--out ANOTHER"])
    if out.is_dir() and any(out.iterdir()) and not (out / RECORD).is_file():
        raise BadInput(f"{out} holds something else, which is left alone", try_=["--out ANOTHER"])


def run_identity(config: SftConfig, student: Student, traces: TraceSet) -> str:
    """The name of a run: same weights, same rows, same settings."""
    return content_hash(
        {
            "student_revision": student.revision,
            "rows_sha256": traces.rows_sha256,
            "config": config_hash(config),
        }
    )


def _same_run(out: Path, identity: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((out / RECORD).read_text(encoding="utf-8"))
    if record.get("identity") != identity:
        made_of = f"{record.get('student')} trained on {record.get('variant')!r} of {record.get('dataset')}"
        raise BadInput(
            f"{out} holds another run ({made_of}, {record.get('steps')} steps); it is left alone",
            try_=["--out ANOTHER", f"rm -r {out}    (if it is not needed)"],
        )
    return record


def prepare(config: SftConfig, student: Student, traces: TraceSet, folder: Path) -> Prepared:
    """Load the student, let TRL make its rows, audit them.

    Raises:
        BadInput: no tokenizer, or one without an end-of-sequence token.
        CheckFailed: the audit found a fault.
        Unavailable: a package is missing.
    """
    tokenizer = load_tokenizer(student.folder)
    _check_ends(tokenizer, config)
    chat = is_chat(tokenizer)
    rows = trl_rows(traces.rows, chat)
    model = _load_model(student, config)
    limit = _limit(model, config)
    trainer = _trainer(model, tokenizer, rows, config=config, limit=limit, folder=folder)
    prepared: Any = trainer.train_dataset
    audit = audit_rows(
        prepared,
        tokenizer,
        _stop_ids(model, tokenizer),
        limit=limit,
        asked=len(rows),
        allow_truncation=config.allow_truncation,
    )
    return Prepared(trainer, audit, CHAT if chat else PLAIN, _steps(config, audit.rows))


def _check_ends(tokenizer: PreTrainedTokenizerBase, config: SftConfig) -> None:
    if config.eos_token is not None and config.eos_token not in tokenizer.get_vocab():
        raise BadInput(f"the tokenizer has no token {config.eos_token!r}")
    if config.eos_token is None and tokenizer.eos_token is None:
        raise BadInput(
            "the tokenizer has no end-of-sequence token, so a student could not learn to stop",
            try_=["--eos-token TOKEN    (one that its vocabulary has)"],
        )


def _load_model(student: Student, config: SftConfig) -> PreTrainedModel:
    import torch
    import transformers

    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    # Full fine-tuning keeps its weights in float32: bfloat16 rounds small updates away. On a GPU the arithmetic is
    # bfloat16 all the same (autocast). Under an adapter the weights do not move, and there they may be small.
    dtype = torch.bfloat16 if config.use_peft and torch.cuda.is_available() else torch.float32
    model: PreTrainedModel = transformers.AutoModelForCausalLM.from_pretrained(student.folder, dtype=dtype)
    return model


def _limit(model: PreTrainedModel, config: SftConfig) -> int | None:
    """Tokens a row may have: what the model reads, or less where the config says so."""
    room = getattr(model.config, "max_position_embeddings", None)
    limits = [limit for limit in (room, config.max_length) if limit]
    return min(limits) if limits else None


def _trainer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Dataset,
    *,
    config: SftConfig,
    limit: int | None,
    folder: Path,
) -> SFTTrainer:
    silence_telemetry()
    try:
        import torch
        from transformers import PrinterCallback
        from trl.trainer.sft_config import SFTConfig as TrlConfig
        from trl.trainer.sft_trainer import SFTTrainer
    except ImportError as error:
        raise missing_extra(error.name or "trl", "train") from error

    gpu = torch.cuda.is_available()
    arguments = TrlConfig(
        output_dir=str(folder),
        **config.model_dump(include=TRL_SETTINGS),
        max_steps=config.max_steps or -1,
        # TRL cuts rows without a word. It may do so only where it was asked to: otherwise the audit sees whole rows.
        max_length=limit if config.allow_truncation else None,
        completion_only_loss=True,
        bf16=gpu,
        use_cpu=not gpu,
        gradient_checkpointing=gpu,  # trades time for memory, of which a CPU has enough
        dataloader_pin_memory=gpu,
        logging_steps=1,
        logging_nan_inf_filter=False,  # it hides a loss that is no number behind the last one that was
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        processing_class=tokenizer,
        peft_config=_lora(config) if config.use_peft else None,
    )
    trainer.remove_callback(PrinterCallback)  # it writes to stdout, where only results go
    return trainer


def _lora(config: SftConfig) -> Any:
    try:
        from peft import LoraConfig
    except ImportError as error:
        raise missing_extra("peft", "train") from error
    return LoraConfig(
        r=config.lora_r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def silence_telemetry() -> None:
    """TRL tells its makers of every trainer that is set up. Not from here, unless the user's environment says so."""
    if os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1").upper() in {"1", "ON", "YES", "TRUE"}:
        from huggingface_hub import constants

        constants.HF_HUB_DISABLE_TELEMETRY = True  # the variable is read at import, which may be long past


def _stop_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The tokens that stop the student, the tokenizer's EOS among them.

    The trainer adds that one to the generation config when it starts; it is done here so that the audit judges what
    will be saved.
    """
    generation: Any = model.generation_config
    ends = generation.eos_token_id
    stops = [] if ends is None else list(ends) if isinstance(ends, list) else [ends]
    if tokenizer.eos_token_id is not None and tokenizer.eos_token_id not in stops:
        stops.insert(0, tokenizer.eos_token_id)
    generation.eos_token_id = stops
    return stops


def _steps(config: SftConfig, rows: int) -> int:
    """Optimiser steps on one device."""
    batches = math.ceil(rows / config.per_device_train_batch_size)
    return config.max_steps or math.ceil(
        config.num_train_epochs * math.ceil(batches / config.gradient_accumulation_steps)
    )


def _train(ready: Prepared, folder: Path, say: Callable[[str], None]) -> list[float]:
    """All steps; the loss of each, also as a line for the terminal and in the log file."""
    from transformers import TrainerCallback

    losses: list[float] = []
    with (folder / LOSSES).open("w", encoding="utf-8") as log:

        class Log(TrainerCallback):
            def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
                if "loss" not in logs:
                    return
                loss = float(logs["loss"])
                if not math.isfinite(loss):
                    raise CheckFailed(
                        f"the loss is {loss} at step {state.global_step}; nothing was saved",
                        try_=["--learning-rate    (lower)"],
                    )
                losses.append(loss)
                log.write(json.dumps({"step": state.global_step, **_plain(logs)}) + "\n")
                log.flush()
                say(f"step {state.global_step}/{ready.steps}  loss {loss:.4f}")

        ready.trainer.add_callback(Log())
        ready.trainer.train()
    return losses


def _plain(logs: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in logs.items()}


def _save(trainer: SFTTrainer, config: SftConfig, student: Student, folder: Path) -> None:
    """Weights, generation config and tokenizer, so that the folder loads like any model; an adapter is merged."""
    model: Any = trainer.model
    if config.use_peft:
        model.peft_config["default"].base_model_name_or_path = student.model.hub_id or str(student.folder)
        # An adapter on linear layers leaves the embeddings alone; asked whether it does, peft looks on the Hub.
        model.save_pretrained(folder / ADAPTER, save_embedding_layers=False)
        model = model.merge_and_unload()
    model.save_pretrained(folder)
    tokenizer: Any = trainer.processing_class
    tokenizer.save_pretrained(folder)
