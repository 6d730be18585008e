"""Lines of real traces whose sides are unequal and which are not false; beside each kind, plain false ones that are."""

import pytest

from wrongcot_data.steps import equation_steps
from wrongcot_data.steps.equations import false_equations

NOT_FALSE = {
    "what a noun with an expression in it is": [
        r"The common denominator for 1, 2, and \( \frac{1}{2} \) is 2.", "The absolute value of 3 - 5 is 2.",
        r"The numerator of the fraction \( \frac{3}{4} \) is 3.", "The exponent on 5^2 is 2.",
        "The number of zeros in 10^6 is 6.", "The LCM of 4, 6, and 2*3 is 12.", "The LCM of 4, 6, 2*3 is 12.",
        "The difference between 3 and 5 * 2 is 7.", "The sum of the digits in 10^3 - 1 is 27.",
        "Since the mean of 2, 4, and 3 * 2 is 4, we go on.", "The prime after 2 * 3 equals 7.",
    ],
    "a share and what it amounts to": [
        "1/3 = 4 slices", "1/2 = 15 students", "so 1/3 = $20", "1 - 1/3 = 2/3 = 40 students", "5/5 = 100 students",
        "25% = 1/4 = 20 students", "60% = 30 students", "100% = 30 / 0.6 = 50", "4 slices = 1/3", "40/50 = 80%",
    ],
    "a hyphen that may be a minus sign": ["- 5 + 3 = -2", "- 4 - 3 = -7", "– 3 * 2 = -6"],
    "another arithmetic": [
        "Modulo 7, we have 3^2 = 2, 3^3 = 6.", "Remainders when divided by 5:\n2^1 = 2\n2^3 = 3",
        "The units digits of the powers of 3 are:\n3^1 = 3\n3^3 = 7", "In base eight: 25 + 36 = 63",
        "We add the numbers in base 8:\n$5 + 6 = 13$, write 3, carry 1.", "In binary, 101 + 11 = 1000.",
        "In octal, 7 + 1 = 10.", r"In \mathbb{Z}_7, 3 * 5 = 1", "In Z_7, 3 * 5 = 1", "1 + 1 = 10, carry the 1",
        "To add $66_7$ and $1_7$ we go on.\n\nUnits: 6 + 1 = 10.", "10 + 5 = 3 pm", "On a 12-hour clock, 10 + 5 = 3.",
    ],
    "a unit that smaller ones make": [
        "2 * 45 = 1.5 hours", "30 + 30 = 1 hour", "12 + 12 = 2 feet", "6 + 6 = 1 year", "3 + 4 = 1 week",
        "4 * 25 = 1 dollar", "500 + 500 = 1 kg", "400 * 4 = 1.6 km",
    ],
    "whole things": [
        "So he can make 50 / 18 = 2 cakes.", "He can buy $20 / $7 = 2 books.", "Thus 130/40 = 4 buses are required.",
        "17 / 2 = 8 with one left", "$10 / 3 = $3.34",
    ],
    "a range": ["1-9 = 9 digits", "10-99 = 90 * 2 = 180", "0-9 = 10 options"],
    "an operation of the problem's own": [
        "4 * 5 = 3(4) - 5 = 7", "5 * 2 = (5 + 2)/(5 - 2) = 7/3",
        r"$3 * 4 = \frac{1}{3} + \frac{1}{4} = \frac{7}{12}$",
        r"Define $a \cdot b = a + 2b$. Then $3 \cdot 4 = 3 + 8 = 11$.", "Let a × b = a + b + 1. So 3 × 4 = 8.",
        r"\boxed{11}\times\boxed{20}=2\times6=12",
    ],
    "unlike things, or a rate": [
        "2 burgers + 1 soda = $12", "3 chickens + 2 cows = 14 legs", "$5 a day for 3 days + $2 = $17",
        "3 bags with 4 apples + 2 = 14",
    ],
    "an average without its brackets": ["Average = 70 + 80 + 90 / 3 = 80", "3 + 5 / 2 = 4"],
    "a factor that was rounded": ["1.06^3 ≈ 1.19. Then 5000 × 1.19 = 5955.08"],
    "a claim that is denied": [
        "2(2) + 3 = 8, so x = 2 fails.", "2(2) + 3 = 8 → 7 = 8, extraneous", "2(2) + 3 = 8, which gives 7 = 8.",
        "3 + 4 = 8 should be 7", "3 + 4 = 8. Wait, no, 7.", "3 + 4 = 8 - wait, 7", "Try 3 + 4 = 8. No, that's 7.",
        "Student A says 3 + 4 = 8, but it's 7.", "Tom thinks 3 + 4 = 8.", "He needs to have 3 + 4 = 8.",
        "She'd get 3 + 4 = 8.",
    ],
}  # fmt: skip
FALSE = {
    "a whole expression": [
        "3 * 4 is 13.", "So the expression 3 * 4 equals 13.",
        "Since 8*13+2 is 107, go on.", "In all he has 9 because 3 plus 4 equals 9.",
    ],
    "a fraction or percentage that is computed": ["5 * 2 = 11%", "4/8 = 2", "3/4 + 1/4 = 2", "4 / 8 = 5"],
    "a bullet": ["- 3 + 4 = 8", "- 3 * 4 = 13", "– 12 - 4 = 7"],
    "a sum near another arithmetic": [
        "The remainder when divided by 5 is asked.\nThere are 12 + 13 = 26 in all.", "We work in base 8:\n5 + 6 = 14",
        "The units digit is 4.\nSo the sum is 14 + 13 = 28.",
        "I am sure that\n10 + 5 = 3.", "5 + 8 = 15, write 5 and carry 1.",
    ],
    "a unit": ["2 * 45 = 80 hours", "1 hour + 30 + 30 = 71 hours", "3 * 12 = 35 feet", "364 / 4 = 273 yards"],
    "a quotient": ["48 / 2 = 23 clips", "15 / 2 = 7 hours", "17 / 2 = 7 pairs", "$10 / 3 = $3.40", "7 / 2 = 3"],
    "a difference": ["5 - 3 = 3", "3 - 5 = 2", "10 - 90 = 80", "10 - 99 = 90"],
    "a product": ["4 * 5 = 21", "4 * 5 = 2 * 11", r"A = l \times w = 3 \times 4 = 13"],
    "a sum of like things": ["2 burgers + 3 burgers = 6 burgers", "$2 + $3 = $6", "Away for 3 days + 2 days = 6."],
    "a sum with a quotient": ["70 + 80 + 90 / 3 = 90", "70 + 80 + 90 / 2 = 120", "100 - 20 / 2 = 40"],
    "an exact factor": ["5000 × 1.19 = 5955.08", "It is ≈ 1.19. Then 5000 × 1.19 = 7000."],
    "a rate": ["$15 per hour x 40 hours = $450", "2 shirts * $3.50 per shirt = $8"],
    "a claim": [
        "3 + 4 = 8. No good.", "Lori needs 2*16 = 96 eggs", "She needs a total of 293 because 93 x 6 = 293.",
        "40*50,000 = $200,000\nShe gets 5% of it.", "3 + 4 = 8, and 9 = 9",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in NOT_FALSE.items() for text in texts])
def test_what_is_meant_otherwise_is_never_false(kind, text):
    assert not false_equations(text), kind


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in FALSE.items() for text in texts])
def test_a_false_equation_stays_false_in_the_same_surroundings(kind, text):
    assert "invalid" in [step.verdict for step in equation_steps(text)], kind


@pytest.mark.parametrize("text", ["12 * 7 = 84 = $94", "1/2 = 0.5 = 0.6", "3 + 4 = 7 = 8 apples", "3 + 4 = 7 ≈ 100"])
def test_a_chain_that_ends_in_another_number_is_not_true(text):
    assert [step.verdict for step in equation_steps(text)] == ["unchecked"]


@pytest.mark.parametrize("text", ["12 * 7 = 84 = 94", "x = 3 + 4 = 7 = 8.", "$3 + 4 = 7 = 8$"])
def test_a_chain_that_ends_in_another_whole_number_is_false(text):
    assert [step.verdict for step in equation_steps(text)] == ["invalid"]


@pytest.mark.parametrize("text", ["2 * 30 = 60 minutes = 1 hour", "15/4 = 3.75 = 4 when rounded", "3 + 4 = 7 = 7.0"])
def test_a_chain_that_changes_units_or_rounds_stays_true(text):
    assert [step.verdict for step in equation_steps(text)] == ["valid"]


@pytest.mark.parametrize(
    "text", ["3 + 4 = 7 and a half", "3 + 4 = 7 tens", "3 + 4 = 7 hundredths", "3 + 4 = 7 sqrt(2)"]
)
def test_a_number_that_words_behind_it_change_is_not_true(text):
    assert [step.verdict for step in equation_steps(text)] == ["unchecked"]


@pytest.mark.parametrize(
    "text", ["3 lawns * $12 per lawn = $36", "$126 / $7 per minute = 18 minutes", "$3 per day * 2 = $6"]
)
def test_a_rate_is_read(text):
    assert [step.verdict for step in equation_steps(text)] == ["valid"]
