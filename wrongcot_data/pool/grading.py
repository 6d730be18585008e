"""From an engine's reply to a graded sample."""

from __future__ import annotations

from wrongcot_data.engines.base import Completion
from wrongcot_data.pool.journal import storable
from wrongcot_data.records import Problem, Sample, Verdict
from wrongcot_data.tasks.base import Task


def graded(
    task: Task, problem: Problem, completion: Completion, request_id: str, attempt: int, seed: int, engine: str
) -> Sample:
    """The sample of a reply. What is graded is what is stored, so that grading it again says the same."""
    text = storable(completion.text)
    error = storable(completion.error)
    return Sample(
        request_id=request_id,
        attempt=attempt,
        problem_id=problem.id,
        completion=text,
        finish_reason=completion.finish_reason,
        n_prompt_tokens=completion.n_prompt_tokens,
        n_tokens=completion.n_tokens,
        seed=seed,
        engine=engine,
        error=error,
        verdict=verdict(task, problem, text, completion.finish_reason, error),
        grader_version=task.grader_version,
    )


def verdict(task: Task, problem: Problem, text: str, finish_reason: str, error: str) -> Verdict:
    """The task's verdict; a request that failed has none but its own error."""
    if finish_reason == "error":
        return Verdict("error", error or "request failed")
    return task.grade(problem, text, finish_reason)  # type: ignore[arg-type]
