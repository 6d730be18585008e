"""The data set card: `README.md` from the templates in `dataset_cards/`, rendered from a data set's folder alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from wrongcot_data.measure.quality import median_part, traces_of
from wrongcot_data.measure.report import REPORT, plots_of
from wrongcot_data.publish.columns import text_of
from wrongcot_data.publish.dataset import config_rows
from wrongcot_data.versions.changelog import changelog

SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
)

LOOKED_THROUGH = 200
"""Rows of a variant among which its example is chosen."""

LONGEST_EXAMPLE = 3000
"""Characters of an example's trace that are shown."""

MARKS = {"valid": "✓", "invalid": "✗", "unchecked": " "}


def card_of(folder: Path, manifest: Mapping[str, Any], templates: Path | None = None, dataset_info: Any = None) -> str:
    """The card of a data set. The same folder and manifest give the same bytes.

    Args:
        manifest: with a `release` (`repo`, `version` and entries of the `changelog`) where it is published.
        templates: folder with the task's own card, where it is not among the built-in ones.
        dataset_info: for the front matter, as `dataset_info.dataset_info` gives it; None leaves it to the Hub.

    Raises:
        OSError, ArrowException: a file of the data set cannot be read.
    """
    environment = Environment(
        loader=FileSystemLoader([folder for folder in (templates, _built_in()) if folder]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  Markdown, and the examples must stay as they are
    )
    environment.filters |= {"fence": fence, "median_part": median_part, "marked": marked, "changelog": changelog}
    report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    facts = {
        **manifest,
        "release": manifest.get("release"),
        "paraphrase": manifest.get("paraphrase"),
        "corruption": manifest.get("corruption"),
        "loadable": loadable(manifest),
        "examples": dict(_examples(folder, manifest)),
        "traces": traces_of(report["configs"]),
        "plots": plots_of(folder),
    }
    body = environment.get_template(f"{manifest['spec']['task']}.md.jinja").render(facts=facts)
    head = yaml.safe_dump(front_matter(manifest, dataset_info), sort_keys=False, allow_unicode=True)
    return f"---\n{head}---\n\n{body}"


def loadable(manifest: Mapping[str, Any]) -> list[str]:
    """The configs that have rows; `datasets` cannot load another one."""
    return [config for config, rows in manifest["rows"].items() if rows]


def _examples(folder: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A row of each variant: the first with an invalid step, else the first."""
    for variant in manifest["composition"]["after"]:
        rows = list(islice(config_rows(folder, variant), LOOKED_THROUGH))
        if rows:
            yield variant, next((row for row in rows if row["first_invalid_step"] >= 0), rows[0])


def marked(row: Mapping[str, Any]) -> str:
    """A trace with a mark before each line: the worst verdict of the steps that begin in it, blank where none was."""
    text = text_of(row)
    lines, start = [], 0
    for line in text[:LONGEST_EXAMPLE].split("\n"):
        verdicts = {step["verdict"] for step in row["steps"] if start <= step["start"] <= start + len(line)}
        worst = next((name for name in ("invalid", "valid", "unchecked") if name in verdicts), "unchecked")
        lines.append(f"{MARKS[worst]} {line}".rstrip())
        start += len(line) + 1
    if len(text) > LONGEST_EXAMPLE:
        lines.append("  ...")
    return "\n".join(lines)


def front_matter(facts: Mapping[str, Any], dataset_info: Any = None) -> dict[str, Any]:
    """The Hub's metadata from a manifest: licence by source and models, size, configs with the default first."""
    total = sum(facts["rows"].values())
    configs = loadable(facts)
    split = facts["spec"]["split"]
    licence = facts["licence"]
    head: dict[str, Any] = {"license": licence["ids"] if len(licence["ids"]) > 1 else licence["ids"][0]}
    if licence["link"]:
        name = re.sub(r"[^a-z0-9.]+", "-", licence["name"].lower())  # the Hub takes a slug
        head |= {"license_name": name, "license_link": licence["link"]}
    return head | {
        "language": ["en"],
        "pretty_name": f"wrongcot {facts['spec']['task']} ({facts['teacher']['name']})",
        "task_categories": ["text-generation"],
        "size_categories": [next((name for limit, name in SIZES if total < limit), "1B<n<10B")],
        "annotations_creators": ["machine-generated"],
        "language_creators": creators(facts),
        "multilinguality": ["monolingual"],
        "source_datasets": [facts["task"]["data_set"] or "original"],
        "tags": ["wrongcot", "synthetic", "reasoning", "chain-of-thought", facts["spec"]["task"]],
        "configs": [
            {
                "config_name": config,
                # `datasets` keeps what it has read under a name made of these lines, not of the files: without the hash
                # it would go on giving the rows of an older build in the same folder.
                "description": f"{facts['summaries'][config]} ({facts['content'][config]})",
                "data_files": [{"split": split, "path": f"{config}/{split}-*.parquet"}],
                **({"default": True} if number == 0 else {}),
            }
            for number, config in enumerate(configs)
        ],
        **({"dataset_info": dataset_info} if dataset_info else {}),
    }


def creators(facts: Mapping[str, Any]) -> list[str]:
    """Who wrote the texts, in the Hub's words."""
    people = facts["task"]["author"] == "human" and "reference" in facts["rows"]
    asked = any(facts.get(stage) for stage in ("paraphrase", "corruption"))
    models = facts["teacher"]["name"] or asked or facts["task"]["author"] == "solver"
    return [name for name, wrote in (("found", people), ("machine-generated", models)) if wrote] or ["found"]


def fence(text: str) -> str:
    """A fenced block around any text: one backtick more than its longest run."""
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    bar = "`" * max(3, longest + 1)
    return f"{bar}text\n{text}\n{bar}"


def _built_in() -> Path:
    """Where the templates are: inside the installed package, or beside the packages in a checkout."""
    packages = Path(__file__).parents[2]
    installed = packages / "wrongcot_data" / "dataset_cards"
    return installed if installed.is_dir() else packages / "dataset_cards"
