"""`wrongcot-data tasks` and `wrongcot-data teachers`: what there is."""

from __future__ import annotations

from typing import Any

import click

from wrongcot_data.cli.console import emit, json_option


@click.command(short_help="List the tasks.")
@json_option
def tasks(as_json: bool) -> None:
    """List the tasks that a data set can be built for."""
    from wrongcot_data.tasks import get_task, task_names

    found = [get_task(name) for name in task_names()]
    rows = [
        {
            "name": task.name,
            "title": task.title,
            "splits": list(task.splits),
            "reference_author": task.author,
            "licence": task.licence,
            "grader_version": task.grader_version,
            "options": {
                name: {"default": field.default, "description": field.description}
                for name, field in task.options.model_fields.items()
            },
        }
        for task in found
    ]
    emit({"tasks": rows}, as_json, lambda: "\n".join(_task_lines(row) for row in rows))


def _task_lines(row: dict[str, Any]) -> str:
    lines = [
        f"{row['name']}   {row['title']}",
        f"  splits  {', '.join(row['splits'])}",
        f"  reference traces by a {row['reference_author']}, problems {row['licence']}",
        "  options (--problems NAME=VALUE, or under `problems` in a config file)",
    ]
    lines += [f"    {name} = {about['default']}   {about['description']}" for name, about in row["options"].items()]
    return "\n".join(lines)


@click.command(short_help="List the teachers and whether they can run here.")
@json_option
def teachers(as_json: bool) -> None:
    """List the teachers known by name. Any Hub id or local path, GGUF files included, works too."""
    from wrongcot_data.teachers.availability import find_gpus, needs_gb, why_not
    from wrongcot_data.teachers.registry import SCRIPTED, TEACHERS

    gpus = find_gpus()
    rows = [
        {
            "name": teacher.name,
            "model": teacher.hub_id,
            "licence": teacher.licence,
            "prompt": teacher.style,
            "gpu_memory_gb": round(needs_gb(teacher), 1),
            "runs_here": not why_not(teacher, gpus),
            "why_not": why_not(teacher, gpus),
            "note": "replies by known rates, no model" if teacher.name == SCRIPTED else "",
        }
        for teacher in TEACHERS.values()
    ]

    def text() -> str:
        lines = []
        for row in rows:
            here = "yes" if row["runs_here"] else f"no: {row['why_not']}"
            model = row["model"] or f"({row['note']})"
            lines.append(f"{row['name']:<14}{model:<42}{row['licence']:<12}here: {here}")
        return "\n".join(lines)

    emit({"teachers": rows}, as_json, text)
