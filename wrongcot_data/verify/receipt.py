"""Does the receipt tell what became of everything? Its sums, and every reply counted again from the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wrongcot_data.publish.columns import SAMPLES
from wrongcot_data.publish.dataset import config_rows, rows_by_config
from wrongcot_data.receipt import refusal_of
from wrongcot_data.verify.replies import STAGES


def receipt_differences(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """What of the receipt is not so, one line each."""
    receipt, rows = manifest["receipt"], rows_by_config(manifest["files"])
    for name, row in receipt["by_variant"].items():
        left = sum(row["left_out"].values())
        if row["asked"] != row["kept"] + left or row["kept"] != rows.get(name):
            yield f"receipt: {name}: asked {row['asked']}, kept {row['kept']}, left out {left}, rows {rows.get(name)}"
    sums = _sums(receipt["by_variant"])
    yield from (
        f"receipt: {name} is {receipt[name]}, but its variants make {value}"
        for name, value in sums.items()
        if receipt[name] != value
    )
    yield from _replies(folder, SAMPLES, receipt)
    for config, (stage, role) in STAGES.items():
        judged = receipt.get(config)
        if len({judged is None, stage not in manifest, config not in rows}) > 1:
            yield f"receipt: {config} without a {role}, or a {role} without {config}"
        if judged is not None:
            yield from _replies(folder, config, judged)


def _sums(by_variant: Mapping[str, Any]) -> dict[str, Any]:
    """What the receipt begins with, from its variants."""
    left_out: Counter[str] = Counter()
    for row in by_variant.values():
        left_out.update(row["left_out"])
    return {
        "asked": sum(row["asked"] for row in by_variant.values()),
        "kept": {name: row["kept"] for name, row in by_variant.items()},
        "left_out": dict(left_out),
        "balanced": True,
    }


def _replies(folder: Path, config: str, account: Mapping[str, Any]) -> Iterator[str]:
    """What an account of replies says otherwise than their rows do."""
    for name, found in _counted(folder, config).items():
        if name in account and account[name] != found:
            yield f"receipt: {config} have {name} {account[name]}, but their rows make {found}"


def _counted(folder: Path, config: str) -> dict[str, Any]:
    grades: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    tokens = prompt_tokens = 0
    for row in config_rows(folder, config, ["grade", "reason", "n_tokens", "n_prompt_tokens"]):
        grades[row["grade"]] += 1
        if row["grade"] != "correct":
            refused[refusal_of(row["grade"], row["reason"])] += 1
        tokens += row["n_tokens"]
        prompt_tokens += row["n_prompt_tokens"]
    return {
        "replies": grades.total(),
        "accepted": grades["correct"],
        "refused": dict(refused),
        "samples": dict(grades),
        "tokens": tokens,
        "prompt_tokens": prompt_tokens,
    }
