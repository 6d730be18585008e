"""The data set card: `README.md` from the templates in `dataset_cards/`, rendered from the manifest alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from wrongcot_data.measure.quality import median_part
from wrongcot_data.tasks.base import Task
from wrongcot_data.teachers.registry import Teacher

SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
)


def render_card(facts: Mapping[str, Any], templates: Path | None = None) -> str:
    """The card of a data set. The same facts give the same bytes.

    Args:
        templates: folder with the task's own card, where it is not among the built-in ones.
        facts: what `build` puts into the manifest; one example row of each variant under `examples`; the quality report
            of each variant that has rows under `traces`, and the paths of its plots under `plots`.
    """
    environment = Environment(
        loader=FileSystemLoader([folder for folder in (templates, _built_in()) if folder]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  Markdown, and the examples must stay as they are
    )
    environment.filters |= {"fence": fence, "median_part": median_part}
    for name in ("paraphrase", "corruption"):  # for the shared parts, which see no more than is set
        environment.globals[name] = facts.get(name)
    loadable = [config for config, rows in facts["rows"].items() if rows]
    body = environment.get_template(f"{facts['spec']['task']}.md.jinja").render(**facts, loadable=loadable)
    head = yaml.safe_dump(front_matter(facts), sort_keys=False, allow_unicode=True)
    return f"---\n{head}---\n\n{body}"


def front_matter(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The Hub's metadata: licence by source and teacher, size, configs with the default first."""
    total = sum(facts["rows"].values())
    configs = [config for config, rows in facts["rows"].items() if rows]  # `datasets` cannot load an empty one
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
        "tags": ["wrongcot", "synthetic", "reasoning", "chain-of-thought", facts["spec"]["task"]],
        "configs": [
            {
                "config_name": config,
                # `datasets` keeps what it has read under a name made of these lines, not of the files: without the hash
                # it would go on giving the rows of an older build in the same folder.
                "description": f"{facts['variants'][config]} ({facts['content'][config]})",
                "data_files": [{"split": split, "path": f"{config}/{split}-*.parquet"}],
                **({"default": True} if number == 0 else {}),
            }
            for number, config in enumerate(configs)
        ],
    }


def licence(task: Task, *writers: Teacher) -> dict[str, Any]:
    """The licences of the rows, for the front matter: the source's of the problems, each model's of what it wrote.

    Returns:
        `ids` as the Hub knows them, without repetition; `name`, for people; `link` to the terms of the first model
        whose are no standard licence. A model of unknown terms makes it `other`, with a link to the model's page.
    """
    ids, names, links = [task.licence], [task.licence], [""]
    for writer in writers:
        ids.append(writer.licence or "other")
        if writer.licence:
            names.append(writer.licence_name or writer.licence)
            links.append(writer.licence_link)
        else:
            names.append(f"terms of {writer.name}")
            links.append(f"https://huggingface.co/{writer.hub_id}" if writer.hub_id else "")
    return {
        "ids": list(dict.fromkeys(ids)),
        "name": ", ".join(dict.fromkeys(names)),
        "link": next(filter(None, links), ""),
    }


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
