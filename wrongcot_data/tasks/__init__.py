"""The tasks: built-ins and plugins through the same entry-point group, `wrongcot.tasks`."""

from __future__ import annotations

from importlib.metadata import entry_points

from wrongcot_data.errors import unknown
from wrongcot_data.tasks.base import Task

GROUP = "wrongcot.tasks"


def task_names() -> list[str]:
    """Names of the tasks that are installed, sorted."""
    return sorted(entry.name for entry in entry_points(group=GROUP))


def get_task(name: str) -> Task:
    """The task of that name.

    Raises:
        BadInput: no such task; the message has the nearest name.
    """
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in found:
        raise unknown("task", name, found)
    task: Task = found[name].load()
    return task
