"""Many threads, one order."""

import threading
import time

import pytest

from wrongcot_data.parallel import in_order


def test_results_come_in_the_order_of_the_items():
    def slow_first(number):
        time.sleep(0.02 if number == 0 else 0)
        return number * 2

    assert list(in_order(slow_first, range(500))) == [number * 2 for number in range(500)]


def test_nothing_gives_nothing():
    assert list(in_order(str, [])) == []


def test_it_reads_only_a_little_ahead():
    read = []

    def items():
        for number in range(100_000):
            read.append(number)
            yield number

    results = in_order(str, items())
    assert next(results) == "0"
    results.close()
    assert len(read) < 2000


def test_what_the_function_raises_is_raised_and_no_thread_is_left():
    def fail(number):
        if number == 40:
            raise ValueError("forty")
        return number

    got = []
    with pytest.raises(ValueError, match="forty"):
        got.extend(in_order(fail, range(1000)))
    assert threading.active_count() < 10
