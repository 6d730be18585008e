"""The student's replies, as an engine gives them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from wrongcot_data.engines.base import Completion, Engine, Opening, Request, engine_column
from wrongcot_data.pool.journal import storable
from wrongcot_data.spec import derive_seed
from wrongcot_data.teachers.prompting import own_reply
from wrongcot_train.evaluate.exam import Exam
from wrongcot_train.replies import Key, Reply


def reply_seed(seed: int, key: Key) -> int:
    """The seed of a reply. Of the first reply to an item it is what it was when there was only one."""
    name, sample = key
    return derive_seed("eval", seed, name, sample) if sample else derive_seed("eval", seed, name)


def ask(exam: Exam, waiting: Sequence[Key]) -> Iterable[list[Reply]]:
    """These replies, as they come. A request that fails is a reply with an error.

    An item's samples are asked one after the other, so that an engine computes their prompt once where it can.
    """
    opening = Opening(exam.model, exam.options, exam.sampling, exam.task, exam.problems)
    engine: Engine = exam.kind.open(opening)
    # a seed that an engine cannot honour matters where replies are drawn
    column = engine_column(engine) if exam.sampling.temperature else engine.name
    try:
        queue = iter(waiting)
        asked: dict[str, Key] = {}
        while True:
            for key in islice(queue, max(0, engine.capacity - len(asked))):
                name, sample = key
                request = Request(f"{name}/{sample}", name, exam.prompts[name], reply_seed(exam.spec.seed, key))
                engine.submit(request)
                asked[request.key] = key
            if not asked:
                return
            yield [_reply(exam, asked.pop(completion.key), completion, column) for completion in engine.wait()]
    finally:
        engine.close()


def _reply(exam: Exam, key: Key, completion: Completion, engine: str) -> Reply:
    name, sample = key
    return Reply(
        problem_id=name,
        sample=sample,
        completion=storable(own_reply(exam.prompts[name], completion.text)),
        finish_reason=completion.finish_reason,
        n_prompt_tokens=completion.n_prompt_tokens,
        n_tokens=completion.n_tokens,
        error=storable(completion.error),
        engine=engine,
    )
