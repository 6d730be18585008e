"""Under which terms a data set is: those of its source, and of every model that wrote into it."""

from __future__ import annotations

from typing import Any

from wrongcot_data.tasks.base import Task
from wrongcot_data.teachers.registry import Teacher


def licence(task: Task, *models: Teacher | None) -> dict[str, Any]:
    """The licences of the rows: the source's of the problems, each model's of what it wrote.

    Args:
        models: who wrote into the data set; None for nobody.

    Returns:
        `ids` as the Hub knows them, without repetition, and `other` for terms that are no standard licence or are
        unknown; `name`, for people; `link` to the first terms that are no standard ones; `parts`, what is under which.
    """
    ids, names, links = [task.licence], [task.licence], []
    parts = [{"what": f"problems and reference traces of {task.name}", "name": task.licence, "link": ""}]
    for model in dict.fromkeys(model for model in models if model):
        name, link = terms_of(model)
        ids.append(model.licence or "other")
        names.append(name)
        links += [link] if link else []
        parts.append({"what": f"what {model.name} wrote", "name": name, "link": link})
    return {
        "ids": list(dict.fromkeys(ids)),
        "name": ", ".join(dict.fromkeys(names)),
        "link": links[0] if links else "",
        "parts": parts,
    }


def terms_of(model: Teacher) -> tuple[str, str]:
    """What a model's terms are called, and where they are; of unknown ones the model's own page."""
    if model.licence:
        return model.licence_name or model.licence, model.licence_link
    return f"terms of {model.name}", f"https://huggingface.co/{model.hub_id}" if model.hub_id else ""
