"""Which version a change asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.errors import BadInput
from wrongcot_data.versions.version import SIZES, Change, Size, Version, fits, largest, parse_version, read_version

VERSIONS = st.builds(Version, *[st.integers(0, 99)] * 3)


@given(VERSIONS)
def test_a_version_is_read_from_its_text_and_from_its_tag(version: Version):
    assert read_version(str(version)) == read_version(version.tag) == version


@pytest.mark.parametrize("text", ["", "1", "1.0", "1.0.0.0", "01.0.0", "1.0.0-rc1", "v", "1.0.x", "1.0.0 ", "١.0.0"])
def test_what_is_no_version_is_said_so(text: str):
    assert read_version(text) is None
    with pytest.raises(BadInput, match="no version"):
        parse_version(text)


@given(VERSIONS, st.sampled_from(SIZES), VERSIONS)
def test_a_version_fits_if_it_is_the_next_for_its_change_or_a_later_one(old: Version, size: Size, new: Version):
    assert fits(new, old, Change(size, ("why",))) == (new >= old.after(size))
    assert fits(old.after(size), old, Change(size, ("why",)))
    assert not fits(old, old, Change(size, ("why",)))


@given(VERSIONS)
def test_a_larger_change_asks_for_a_later_version(version: Version):
    nexts = [version.after(size) for size in SIZES]
    assert version < nexts[0]
    assert nexts == sorted(set(nexts))


def test_nothing_is_a_version_of_no_change():
    assert not fits(Version(9, 0, 0), Version(1, 0, 0), Change(None, ()))


def test_the_largest_change_counts_with_its_own_reasons():
    assert largest({"patch": ["card"], "minor": ["rows"], "major": []}) == Change("minor", ("rows",))
    assert largest({"patch": ["card"], "major": ["rules"]}) == Change("major", ("rules",))
    assert largest({"patch": []}) == Change(None, ())
