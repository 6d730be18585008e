"""The worked examples of MBPP's few-shot prompts. Tasks and programs are ours, so none is ever a question."""

from __future__ import annotations

from typing import NamedTuple


class Shot(NamedTuple):
    """One worked example."""

    question: str
    tests: tuple[str, ...]
    program: str
    idea: str


SHOTS = (
    Shot(
        "Write a function to return the words of a sentence that are longer than n letters, in their order.",
        ("assert longer_words('the quick brown fox', 3) == ['quick', 'brown']",),
        "def longer_words(sentence, n):\n    return [word for word in sentence.split() if len(word) > n]",
        "Split the sentence at white space and keep each word that is longer than n; a comprehension keeps the order.",
    ),
    Shot(
        "Write a function to sum the digits of a non-negative integer.",
        ("assert digit_total(4093) == 16",),
        "def digit_total(number):\n    return sum(int(digit) for digit in str(number))",
        "Written in decimals, the number shows its digits; turn each back into an integer and add them up.",
    ),
    Shot(
        "Write a function to pair each item of a list with how often it occurs, as a list of tuples sorted by item.",
        ("assert tally(['b', 'a', 'b']) == [('a', 1), ('b', 2)]",),
        "from collections import Counter\n\n\ndef tally(items):\n    return sorted(Counter(items).items())",
        "A Counter holds each item with its count; its items are tuples, and sorting them sorts by item first.",
    ),
    Shot(
        "Write a function to check whether a list of numbers goes up at every step.",
        ("assert is_rising([1, 4, 9]) == True",),
        "def is_rising(numbers):\n    return all(a < b for a, b in zip(numbers, numbers[1:]))",
        "Compare every number with the one after it; the list rises if each pair does.",
    ),
)
