"""`wrongcot-data tasks` and `wrongcot-data teachers`: what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from wrongcot_data.cli.console import emit, json_option

if TYPE_CHECKING:
    from wrongcot_data.teachers.availability import Gpu
    from wrongcot_data.teachers.registry import Teacher


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
    """List the teachers known by name. Any Hub id or local path, GGUF files included, works too.

    ORG/NAME@REVISION and NAME@REVISION take another commit than the one that is pinned.
    """
    from wrongcot_data.teachers.availability import find_gpus
    from wrongcot_data.teachers.registry import TEACHERS

    gpus = find_gpus()
    rows = [_teacher_row(teacher, gpus) for teacher in TEACHERS.values()]
    emit({"teachers": rows}, as_json, lambda: "\n".join(_teacher_lines(row) for row in rows))


def _teacher_row(teacher: Teacher, gpus: list[Gpu]) -> dict[str, Any]:
    from wrongcot_data.teachers.availability import how_to_mend, needs_gb, why_not
    from wrongcot_data.teachers.registry import SCRIPTED

    reason = why_not(teacher, gpus)
    return {
        "name": teacher.name,
        "model": teacher.hub_id or teacher.api_model,
        "revision": teacher.revision,
        "licence": teacher.licence_name or teacher.licence,
        "licence_link": teacher.licence_link,
        "engine": teacher.engine,
        "prompt": teacher.style,
        "traits": list(teacher.traits),
        "gpu_memory_gb": round(needs_gb(teacher), 1),
        "runs_here": not reason,
        "why_not": reason,
        "try": how_to_mend(teacher, gpus),
        "note": "replies by known rates, no model" if teacher.name == SCRIPTED else "",
    }


def _teacher_lines(row: dict[str, Any]) -> str:
    here = "yes" if row["runs_here"] else f"no: {row['why_not']}"
    mend = f"; try: {row['try']}" if row["try"] else ""
    model = row["model"] or f"({row['note']})"
    at = f"@{row['revision'][:8]}" if row["revision"] else ""
    memory = f"{row['gpu_memory_gb']:g} GB on a GPU" if row["gpu_memory_gb"] else ""
    about = [row["licence"], memory, ", ".join(row["traits"])]
    lines = [f"{row['name']:<14}{model}{at}", f"{'':<14}{'; '.join(part for part in about if part)}"]
    return "\n".join([*lines, f"{'':<14}here: {here}{mend}"])
