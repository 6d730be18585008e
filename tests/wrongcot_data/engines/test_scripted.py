"""The scripted teacher's revision names exactly what it writes, as a model's names its weights."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest

from wrongcot_data.engines import scripted
from wrongcot_data.engines.scripted import RATES, ScriptedOptions
from wrongcot_data.spec import content_hash
from wrongcot_data.tasks import get_task
from wrongcot_data.teachers.registry import get_teacher

WRITTEN = {2: "47a4d935bc00857c2ea65c4ec15c5f6d3450c78b8494f39cde49a989aee7cbaf"}
"""Hash of replies by version."""


def revision(**options: float) -> str:
    return scripted.KIND.revision(get_teacher("scripted"), ScriptedOptions(**options))


def test_what_is_written_is_of_this_version() -> None:
    """Where this fails since imitations were changed on purpose: raise SCRIPT_VERSION and add the new hash."""
    task = get_task("countdown")
    problems = islice(task.problems(task.options(), "train", 0), 40)
    kinds = [kind for kind in RATES if kind != "failure"]
    replies = [task.imitate(one, kind, Random(number)) for number, one in enumerate(problems) for kind in kinds]
    assert content_hash(replies) == WRITTEN[scripted.SCRIPT_VERSION]


def test_replies_of_another_version_are_of_another_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    now = revision()
    monkeypatch.setattr(scripted, "SCRIPT_VERSION", scripted.SCRIPT_VERSION + 1)
    assert revision() != now


def test_rates_make_the_teacher_and_speed_does_not() -> None:
    assert revision(right=0.45, wrong=0.35) != revision()
    assert revision(latency_ms=5, capacity=3) == revision()
