"""The tasks, by name; entry-point group `wrongcot.tasks`."""

from __future__ import annotations

from wrongcot_data import plugins
from wrongcot_data.tasks.base import Task


def task_names() -> list[str]:
    """Names of the tasks that are installed, sorted."""
    return plugins.names("task")


def get_task(name: str) -> Task:
    """The task of that name.

    Raises:
        BadInput: no such task; the message has the nearest name.
    """
    task: Task = plugins.load("task", name)
    return task
