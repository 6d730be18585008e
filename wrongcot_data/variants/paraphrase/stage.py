"""The stage of a build that has traces rewritten.

Of `reference`, a problem's one trace is rewritten until there are `per_problem` distinct paraphrases of it. Of `right`
and `wrong`, each of its `per_problem` traces is, once: the paraphrases then stand to those traces one to one.
"""

from __future__ import annotations

from collections.abc import Iterable

from wrongcot_data.filling import Report
from wrongcot_data.plan import Plan, Writer
from wrongcot_data.pool.budget import Budget
from wrongcot_data.pool.journal import Journal
from wrongcot_data.variants import REGISTRY
from wrongcot_data.variants.paraphrase.rewriting import Rewriting
from wrongcot_data.variants.pooled import PARAPHRASE_SAMPLES, Pooled
from wrongcot_data.variants.stages import Done, Question, Stage, put, staged


def prepare(plan: Plan, paraphraser: Writer) -> Stage:
    """The stage of a build.

    Raises:
        WrongcotError: the paraphraser cannot be had here.
    """
    of = plan.spec.paraphrase.of
    per_trace = plan.spec.per_problem if of == "reference" else 1
    own, source, origin = staged(plan, paraphraser, Rewriting(plan.task), per_trace)
    return Stage(PARAPHRASE_SAMPLES, of, "paraphraser", own, source, origin, rewrite)


def rewrite(stage: Stage, pool: Iterable[Pooled], journal: Journal, budget: Budget, report: Report) -> Done:
    """Have the traces of a filled pool rewritten and store every reply with its judgement.

    Args:
        budget: what the stages before it have left.
    """
    plan = stage.plan
    assert isinstance(plan.task, Rewriting)
    base_of = REGISTRY[stage.of]
    bases = (base for pooled in pool for base in base_of.traces(pooled, base_of.asked(plan.spec.per_problem)))
    questions = [
        Question(place, base, problem) for place, base in enumerate(bases) for problem in plan.task.of_trace(base)
    ]
    return Done(stage, [put(stage, questions, journal, budget, report)], journal)
