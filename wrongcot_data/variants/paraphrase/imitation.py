"""Rewritings of a scripted paraphraser: synonyms and openings, a changed number, talk, or a text that is cut off."""

from __future__ import annotations

import ast
import builtins
import re
from random import Random

from wrongcot_data.graders import code
from wrongcot_data.graders.syntax import syntax_tree
from wrongcot_data.records import Problem
from wrongcot_data.tasks.base import Imitation, Task, judges_programs
from wrongcot_data.variants.paraphrase.overlap import NEAR_COPY, overlap

_SYNONYMS = {
    "so": "therefore", "then": "after that", "total": "sum", "altogether": "in all", "each": "every",
    "gives": "makes", "leaving": "which leaves", "try": "take", "now": "next", "instead": "rather", "too": "much too",
    "she": "this person", "he": "this person", "they": "these people", "we": "one", "find": "get", "since": "as",
    "because": "as", "thus": "hence", "hence": "thus", "must": "has to", "cost": "price", "first": "to begin with",
}  # fmt: skip
_OPENINGS = (
    "As a start, ", "Going on from there, ", "With that in hand, ", "What follows is this: ", "Step by step, ",
    "Looking at it closely, ", "In the same way, ", "Put simply, ", "From what is known, ",
)  # fmt: skip
_CLOSINGS = (" That much is clear.", " This is what is needed.", " It goes on from here.", " So far, so good.")
_SENTENCE = re.compile(r"(?<=[.!?])[ \n]+(?=[A-Z0-9])|\n+")
_PLAIN = re.compile(r"[A-Za-z0-9]")
_ANSWER = re.compile(r"<answer>|####|\\boxed|final answer|answer is|\\begin|\\end|&|\\\\", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.,])[0-9]+(?![\w.,]*\w)")
_TALK = ("Here is the paraphrase:", "Sure! Here is my version of the solution:", "Rewritten in my own words:")
_ROUNDS = 6


def imitate(task: Task, problem: Problem, trace: str, kind: Imitation, rng: Random) -> str:
    """A rewriting of a trace: `right` is a paraphrase, `wrong` has one number changed, `malformed` talks about itself.

    A trace that is nearly all formulas may be beyond it: then `right` is refused as a near copy.
    """
    program = judges_programs(task)
    if kind == "wrong" and program:
        return task.imitate(problem, "wrong", rng)
    text = _other_program(problem, trace, rng) if program else _other_words(trace, rng)
    if kind == "wrong":
        return _other_number(text, rng)
    if kind == "malformed":
        return f"{rng.choice(_TALK)}\n{text}"
    if kind == "truncated":
        return text[: max(1, int(len(text) * rng.uniform(0.3, 0.9)))]
    return text


def _other_words(trace: str, rng: Random) -> str:
    """The sentences with synonyms and another opening; with more around them until it is no near copy."""
    pieces, gaps = _SENTENCE.split(trace), [gap[0] for gap in _SENTENCE.finditer(trace)]
    pieces = [_with_synonyms(piece) for piece in pieces]
    text = trace
    for number in range(_ROUNDS):
        pieces = [_dressed(piece, number, rng) for piece in pieces]
        text = "".join(part for pair in zip(pieces, [*gaps, ""], strict=True) for part in pair)
        if overlap(trace, text) < NEAR_COPY - 0.1:
            return text
    return text


def _dressed(piece: str, round_: int, rng: Random) -> str:
    """A sentence with an opening before it, or a remark behind it; one with the answer or only formulas as it is."""
    if _ANSWER.search(piece) or not _PLAIN.match(piece):
        return piece
    if round_ % 2 == 0:
        opening = rng.choice(_OPENINGS)
        word = piece.split(maxsplit=1)[0]
        lower = word.isalpha() and word.lower() in {"the", "a", "this", "that", "there", "it", "if", "in"}
        return opening + (piece[0].lower() + piece[1:] if lower else piece)
    return piece + rng.choice(_CLOSINGS) if piece.endswith(".") else piece


def _with_synonyms(piece: str) -> str:
    if _ANSWER.search(piece):
        return piece
    return re.sub(r"[A-Za-z]+", lambda word: _synonym(word[0]), piece) if "\\" not in piece else piece


def _synonym(word: str) -> str:
    other = _SYNONYMS.get(word.lower(), word)
    return other[0].upper() + other[1:] if word[0].isupper() else other


def _other_number(text: str, rng: Random) -> str:
    numbers = list(_NUMBER.finditer(text))
    if not numbers:
        return f"{text} That makes {rng.randrange(10**5, 10**6)} in all."
    chosen = rng.choice(numbers)
    return f"{text[: chosen.start()]}{rng.randrange(10**5, 10**6)}{text[chosen.end() :]}"


def _other_program(problem: Problem, trace: str, rng: Random) -> str:
    """The program of a trace with other names of parameters and variables, and a comment."""
    found = code.program_of(problem.data["tests"], problem.data["test_setup_code"], trace)
    if found is None:
        return trace
    try:
        tree = syntax_tree(found.text)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                _rename(node, rng)
        text = f"# {rng.choice(('step', 'part'))} by {rng.choice(('step', 'part'))}\n{ast.unparse(tree)}"
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return trace
    before = trace[: found.start].replace("The function", "This function")
    return f"{before}{text}\n{trace[found.end :].lstrip()}".strip()


def _rename(function: ast.FunctionDef, rng: Random) -> None:
    """Give what a function binds itself other names, where nothing outside can know the old ones."""
    nodes = list(ast.walk(function))
    bound = {node.arg for node in nodes if isinstance(node, ast.arg)}
    bound |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in nodes:
        if isinstance(node, ast.Global | ast.Nonlocal):
            bound -= set(node.names)
        if isinstance(node, ast.keyword) and node.arg:
            bound.discard(node.arg)
    suffix = rng.choice(("_value", "_item", "_here", "_part"))
    names = {name: f"{name}{suffix}" for name in bound if not hasattr(builtins, name)}
    for node in nodes:
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = names.get(node.arg, node.arg)
