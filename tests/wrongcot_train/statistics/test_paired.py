"""The paired statistics against statsmodels and plain reckoning, and what must hold for any counts."""

from __future__ import annotations

import json
from math import comb, inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_of_statsmodels
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from wrongcot_train.compare import MIN_FLIPS, MIN_ITEMS, over_items
from wrongcot_train.statistics import (
    bootstrap_mean,
    flip_odds,
    holm,
    mcnemar,
    score_difference,
    sign_flip,
    smallest_detectable,
    spread,
    welch,
)

RNG = np.random.default_rng(11)
TABLES = [tuple(row) for row in RNG.multinomial(60, [0.4, 0.15, 0.1, 0.35], size=25).tolist()]
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)
COUNTS = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 60)).filter(lambda one: sum(one) > 0)


def values(gained: int, lost: int, n: int) -> list[float]:
    return [1.0] * gained + [-1.0] * lost + [0.0] * (n - gained - lost)


@pytest.mark.parametrize("table", TABLES)
def test_mcnemar_is_that_of_statsmodels(table: tuple[int, int, int, int]) -> None:
    both, gained, lost, neither = table
    theirs = mcnemar_of_statsmodels([[both, gained], [lost, neither]], exact=True)
    assert mcnemar(gained, lost) == pytest.approx(theirs.pvalue, abs=1e-12)


@pytest.mark.parametrize("table", TABLES)
def test_odds_of_flips_are_the_exact_interval_of_statsmodels(table: tuple[int, int, int, int]) -> None:
    _, gained, lost, _ = table
    low, high = proportion_confint(gained, gained + lost, method="beta")
    value, interval = flip_odds(gained, lost)
    assert value == pytest.approx(gained / lost if lost else inf)
    assert interval == pytest.approx((low / (1 - low), high / (1 - high) if high < 1 else inf))


def test_holm_is_that_of_statsmodels() -> None:
    for size in (1, 2, 5, 20):
        p_values = RNG.uniform(0, 0.2, size).tolist()
        assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1].tolist())


@given(P_VALUES)
def test_holm_keeps_the_order_and_makes_no_p_smaller(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    assert [adjusted[place] for place in order] == sorted(adjusted)
    assert min(adjusted) == min(1, len(p_values) * min(p_values))


@pytest.mark.parametrize(("gained", "lost", "n"), [(15, 6, 60), (3, 1, 20), (0, 4, 50), (9, 9, 40), (0, 0, 30)])
def test_score_interval_ends_where_a_score_test_is_at_5_percent(gained: int, lost: int, n: int) -> None:
    """The likelihood is maximised by scipy here, not by Tango's closed form."""

    def statistic(difference: float) -> float:
        def loss(lost_share: float) -> float:
            gained_share = lost_share + difference
            rest = 1 - lost_share - gained_share
            parts = [(gained, gained_share), (lost, lost_share), (n - gained - lost, rest)]
            if any(p < 0 for _, p in parts):
                return inf
            return -sum(count * log(max(p, 1e-300)) for count, p in parts if count)

        bounds = (max(0, -difference), (1 - difference) / 2)
        share = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
        return (gained - lost - n * difference) / (n * (2 * share + difference - difference**2)) ** 0.5

    low, high = score_difference(gained, lost, n)
    z = norm.ppf(0.975)
    assert statistic(low) == pytest.approx(z, abs=2e-3)
    assert statistic(high) == pytest.approx(-z, abs=2e-3)


@given(COUNTS)
def test_score_interval_holds_what_was_seen_and_is_never_a_point(counts: tuple[int, int, int]) -> None:
    gained, lost, same = counts
    n = gained + lost + same
    low, high = score_difference(gained, lost, n)
    assert -1 <= low <= (gained - lost) / n <= high <= 1
    assert high > low
    swapped = score_difference(lost, gained, n)
    assert swapped == pytest.approx((-high, -low), abs=1e-9)


@pytest.mark.parametrize(("gained", "lost"), [(2, 1), (5, 0), (6, 6), (9, 3)])
def test_sign_flips_of_single_runs_are_mcnemars_test(gained: int, lost: int) -> None:
    exact = values(gained, lost, 40)
    assert sign_flip(exact) == pytest.approx(mcnemar(gained, lost), abs=1e-12)
    assert sign_flip(values(40, 20, 100)) == pytest.approx(mcnemar(40, 20), abs=0.005)  # by random patterns


def test_sign_flips_count_every_pattern_of_few_items() -> None:
    # of 1, 1/3 and 1/3, signed in 8 ways, only all plus and all minus are as far out as all plus
    assert sign_flip([1.0, 1 / 3, 1 / 3, 0.0]) == pytest.approx(2 / 8)


@settings(max_examples=25, deadline=None)
@given(COUNTS.filter(lambda one: sum(one) >= MIN_ITEMS))
def test_swapping_the_sides_flips_the_sign_and_keeps_p(counts: tuple[int, int, int]) -> None:
    gained, lost, same = counts
    n = gained + lost + same
    one = over_items(values(gained, lost, n), single=True, seed=3)
    other = over_items([-value for value in values(gained, lost, n)], single=True, seed=3)
    assert other["difference"] == -one["difference"]
    assert (other["low"], other["high"]) == pytest.approx((-one["high"], -one["low"]), abs=1e-9)
    assert (other["p"], other["detectable"]) == (one["p"], one["detectable"])
    assert (other["gained"], other["lost"]) == (one["lost"], one["gained"])
    assert one["low"] <= one["difference"] <= one["high"]
    json.dumps(one, allow_nan=False)


@pytest.mark.parametrize("single", [True, False])
def test_identical_results_differ_by_nothing(single: bool) -> None:
    found = over_items([0.0] * 50, single, seed=0)
    assert (found["difference"], found["p"]) == (0.0, 1.0)
    assert found["low"] < 0 < found["high"]  # nothing seen is not nothing there


@pytest.mark.parametrize("part", [1.0, 0.5])
def test_few_flips_take_the_score_interval(part: float) -> None:
    few, enough = (
        over_items([part * value for value in values(count, 0, 100)], part == 1, 0)["interval"]
        for count in (MIN_FLIPS - 1, MIN_FLIPS)
    )
    assert (few, enough) == ("score", "bootstrap")


@given(st.lists(st.integers(-3, 3), min_size=MIN_ITEMS, max_size=40))
def test_parts_of_items_have_an_interval_that_is_no_point_and_holds_what_was_seen(thirds: list[int]) -> None:
    up, down = (sum(max(0, sign * value) for value in thirds) / 3 for sign in (1, -1))
    low, high = score_difference(up, down, len(thirds))
    assert low < high
    assert low - 1e-9 <= (up - down) / len(thirds) <= high + 1e-9
    assert score_difference(down, up, len(thirds)) == pytest.approx((-high, -low), abs=1e-9)


def test_detectable_differences_are_those_of_the_published_formula() -> None:
    # Connor's n for a difference of 0.1 where 0.3 flip: (1.96 sqrt(.3) + .8416 sqrt(.3 - .01))^2 / .01
    n = (norm.ppf(0.975) * 0.3**0.5 + norm.ppf(0.8) * 0.29**0.5) ** 2 / 0.01
    assert smallest_detectable(round(n), 0.3) == pytest.approx(0.1, abs=2e-4)
    # reference: 500 items, 20 % that flip, 5.6 points; 1319 and 10 %, 2.4
    assert smallest_detectable(500, 0.2) == pytest.approx(0.056, abs=5e-4)
    assert smallest_detectable(1319, 0.1) == pytest.approx(0.024, abs=5e-4)


@given(st.integers(4, 5000), st.floats(0, 1), st.floats(0, 1))
def test_more_items_or_fewer_flips_detect_smaller_differences(n: int, moved: float, other: float) -> None:
    fewer, more = sorted((moved, other))
    assert 0 < smallest_detectable(n, fewer) <= smallest_detectable(n, more) + 1e-9 <= 1 + 1e-9
    assert smallest_detectable(n + 1, moved) <= smallest_detectable(n, moved) + 1e-9


def test_bootstrap_is_near_the_exact_one() -> None:
    """Of ten gained and five lost in 60 the resampled sums have a law that can be written down."""
    n, gained, lost = 60, 10, 5
    law: dict[int, float] = {}
    for b in range(n + 1):
        for c in range(n + 1 - b):
            p = (
                comb(n, b)
                * comb(n - b, c)
                * (gained / n) ** b
                * (lost / n) ** c
                * ((n - gained - lost) / n) ** (n - b - c)
            )
            law[b - c] = law.get(b - c, 0.0) + p
    low, high = bootstrap_mean(values(gained, lost, n))
    assert sum(p for total, p in law.items() if total / n < low - 1e-9) <= 0.03
    assert sum(p for total, p in law.items() if total / n > high + 1e-9) <= 0.03
    assert sum(p for total, p in law.items() if low - 1e-9 <= total / n <= high + 1e-9) >= 0.945


def test_intervals_cover_the_truth_about_95_times_in_100() -> None:
    """Light and seeded; the whole table is made by `scripts/bench_statistics.py`."""
    rng = np.random.default_rng(5)
    held = 0
    outcomes = rng.multinomial(100, [0.15, 0.05, 0.8], size=2000)[:, :2].tolist()
    ends = {}
    for gained, lost in outcomes:
        if (gained, lost) not in ends:
            few = gained + lost < MIN_FLIPS
            ends[gained, lost] = (
                score_difference(gained, lost, 100) if few else bootstrap_mean(values(gained, lost, 100), resamples=999)
            )
        low, high = ends[gained, lost]
        held += low <= 0.1 + 1e-12 and high >= 0.1 - 1e-12
    assert held / len(outcomes) == pytest.approx(0.95, abs=0.015)


def test_intervals_of_several_runs_cover_the_truth_too_where_few_items_move() -> None:
    """Two weak students by three runs each on 60 items, of which 7 to 16 move. The bootstrap alone covers 91 % here."""
    rng = np.random.default_rng(6)
    held, draws = 0, 300
    skill, noise = (-2.8, -2.3), 1.2
    truth = float(norm.cdf(skill[1] / np.hypot(1, noise)) - norm.cdf(skill[0] / np.hypot(1, noise)))
    for _ in range(draws):
        item = rng.normal(size=(60, 1))
        a, b = ((level + item + rng.normal(0, noise, (60, 3)) > 0).mean(axis=1) for level in skill)
        found = over_items((b - a).tolist(), False, 0)
        held += found["low"] <= truth <= found["high"]
    assert held / draws >= 0.935


def test_spread_and_welch_are_over_runs() -> None:
    assert spread([0.2, 0.3, 0.4]) == pytest.approx((0.3, 0.1, 3))
    assert spread([0.2]).deviation is None
    a, b = [0.20, 0.22, 0.18], [0.30, 0.27, 0.30, 0.29]
    found = welch(a, b)
    assert found is not None
    p, (low, high) = found
    # by hand: difference 0.09, variances 4e-4 and 2e-4, se sqrt(4e-4/3 + 2e-4/4)
    assert (low + high) / 2 == pytest.approx(0.09)
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

    theirs = CompareMeans(DescrStatsW(b), DescrStatsW(a))
    assert p == pytest.approx(theirs.ttest_ind(usevar="unequal")[1])
    assert (low, high) == pytest.approx(theirs.tconfint_diff(usevar="unequal"))


@pytest.mark.parametrize(("a", "b"), [([0.1], [0.2, 0.3]), ([0.1, 0.2], [0.3]), ([0.1, 0.1], [0.2, 0.2])])
def test_nothing_is_said_over_runs_that_have_no_spread(a: list[float], b: list[float]) -> None:
    assert welch(a, b) is None


def test_impossible_counts_are_refused() -> None:
    for call in (
        lambda: mcnemar(-1, 2),
        lambda: flip_odds(-1, 2),
        lambda: score_difference(5, 6, 10),
        lambda: score_difference(0, 0, 0),
        lambda: bootstrap_mean([]),
        lambda: bootstrap_mean([0.0, 1.0], confidence=1.0),
        lambda: holm([0.5, 1.5]),
        lambda: smallest_detectable(3, 0.2),
        lambda: smallest_detectable(100, 1.2),
        lambda: spread([]),
        lambda: welch([0.1, 0.2], [0.1, 0.3], confidence=0.0),
    ):
        with pytest.raises(ValueError, match="no "):
            call()
