"""Real references, solutions and labelled model answers, where the folder of shared data is there."""

from __future__ import annotations

import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from wrongcot_data.graders.math_answers import REASONS, compare, grade
from wrongcot_data.tasks import get_task

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
CALCULATOR = re.compile(r"<<[^<>\n]*>>")
SOLVERS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")


def shared(name):
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"no {path}: the shared data is not beside this checkout")
    return path


def rows(name):
    with shared(name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def grades(items):
    """The verdicts on triples of reference, completion and whether references are plain numbers."""
    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(lambda item: grade(item[0], item[1], "stop", plain_only=item[2]), items))


@pytest.mark.parametrize("name", ["train", "test_first_half"])
def test_every_human_solution_of_gsm8k_is_correct(name):
    answers = [CALCULATOR.sub("", row["answer"]) for row in rows(f"gsm8k/{name}.jsonl")]
    verdicts = grades([(text.rpartition("####")[2].strip(), text, True) for text in answers])
    assert Counter(verdict.grade for verdict in verdicts) == {"correct": len(answers)}


def test_labelled_solutions_of_gsm8k_agree_with_every_label():
    for row in rows("gsm8k_model_solutions/solutions_test_first_half.jsonl"):
        reference = row["ground_truth"].rpartition("A:")[2].strip()
        for solver in SOLVERS:
            verdict = grade(reference, row[solver]["solution"], "stop", plain_only=True)
            assert (verdict.grade == "correct") == row[solver]["is_correct"], (reference, row[solver]["solution"])


# 17 boxes 45/3 for 15, 100 writes its box over two lines.
LABEL_TOO_STRICT = {17, 100}


def test_real_gsm8k_traces_differ_from_their_labels_where_those_are_too_strict():
    found = rows("llada_traces/llada_gsm8k_test_first_half.jsonl")
    verdicts = grades([(row["gold_answer"], row["trace"], True) for row in found])
    differing = {
        number
        for number, (row, verdict) in enumerate(zip(found, verdicts, strict=True))
        if (verdict.grade == "correct") != row["verified_correct"]
    }
    assert differing == LABEL_TOO_STRICT


def test_real_math_traces_that_match_as_text_are_correct():
    found = rows("llada_traces/llada_math500_first_half.jsonl")
    verdicts = grades([(row["gold_answer"], row["trace"], False) for row in found])
    for row, verdict in zip(found, verdicts, strict=True):
        assert verdict.grade == "correct" or not row["answer_string_match"], (row["gold_answer"], verdict)


@pytest.mark.real
def test_human_solutions_of_math_are_correct_where_they_give_an_answer():
    task, found = get_task("math"), []
    for split, name in (("train", "train"), ("test", "test_first_half")):
        source = shared(f"math/{name}.jsonl")
        found += task.problems(task.options(source=str(source)), split, 0)
    verdicts = grades([(one.data["reference_answer"], one.data["solution"], False) for one in found])
    assert len(found) == 9998  # of 10,000; two solutions box nothing
    assert {verdict.grade for verdict in verdicts} == {"correct"}


def answer_kind(answer):
    """What an answer looks like, so that pairs are of one kind and hard to tell apart."""
    kinds = [("matrix", "matrix"), ("words", "text|mbox"), ("interval", r"infty|\["), ("point", r"^\s*(\\left)?\s*\("),
             ("list", ","), ("root", "sqrt"), ("pi", "pi"), ("polynomial", r"[a-hj-z]$|\^|[a-z] *[+-]"), ("fraction", "frac")]  # fmt: skip
    return next((name for name, pattern in kinds if re.search(pattern, answer)), "other")


def cross_pairs(answers, number, seed=0):
    """Answers of different problems, both of one kind; equal texts left out."""
    by_kind = {}
    for answer in answers:
        if not re.fullmatch(r"-?[0-9.,]+", answer):
            by_kind.setdefault(answer_kind(answer), []).append(answer)
    rng, found = Random(seed), []
    while len(found) < number:
        one, other = rng.choices(by_kind[rng.choice(list(by_kind))], k=2)
        if one != other:
            found.append((one, other))
    return found


def perturbed(answer, rng):
    """The answer made wrong: a digit, a sign, times and by 100, another bracket, ends of an interval swapped."""
    found = [f"100({answer})", rf"\frac{{{answer}}}{{100}}"]
    digits, signs = ([match.start() for match in re.finditer(pattern, answer)] for pattern in ("[0-9]", "[-+]"))
    if digits:
        at = rng.choice(digits)
        found.append(f"{answer[:at]}{(int(answer[at]) + rng.randint(1, 8)) % 10}{answer[at + 1 :]}")
    if signs:
        at = rng.choice(signs)
        found.append(f"{answer[:at]}{'+' if answer[at] == '-' else '-'}{answer[at + 1 :]}")
    if answer[0] in "([":
        found.append(("[" if answer[0] == "(" else "(") + answer[1:])
    ends = re.fullmatch(r"([\[(])([^,()]+),([^,()]+)([\])])", answer)
    if ends and ends[2].strip() != ends[3].strip():
        found.append(f"{ends[1]}{ends[3]},{ends[2]}{ends[4]}")
    return found


def called_correct(pairs):
    """The pairs that are called correct, and how many of each grade there are."""
    with ThreadPoolExecutor(4) as threads:
        reasons = list(threads.map(lambda pair: compare(*pair), pairs))
    told = [pair for pair, reason in zip(pairs, reasons, strict=True) if REASONS[reason] == "correct"]
    return told, Counter(REASONS[reason] for reason in reasons)


def spelled_apart(one, other):
    """Whether two answers that are called equal are so by eye: `D` and `(D),`, `2^3 \\cdot 5` is not of these."""
    bare = [
        re.sub(r"\\(?:text|mbox)|[{}()\s$]|\\[!,]|-(?=0(?:[^0-9]|$))", "", text).rstrip(".,;") for text in (one, other)
    ]
    return bare[0] == bare[1]


@pytest.mark.parametrize("number", [150, pytest.param(1000, marks=pytest.mark.real)])
def test_answers_of_other_problems_and_perturbed_ones_are_never_called_correct(number):
    answers = [row["answer"] for row in rows("math/train.jsonl") if row["answer"].strip()]
    rng = Random(1)
    wrong = [(answer, other) for answer in rng.sample(answers, number // 5) for other in perturbed(answer, rng)
             if answer.strip("-") not in ("0",)]  # fmt: skip
    told, _ = called_correct(cross_pairs(answers, number) + wrong)
    assert [pair for pair in told if not spelled_apart(*pair)] == []
