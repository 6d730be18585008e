"""One way to name a data set."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.errors import BadInput
from wrongcot_data.versions.dataset_ref import DatasetRef, check_repo, parse_ref
from wrongcot_data.versions.version import Version

COMMIT = "0123456789abcdef0123456789abcdef01234567"
V = Version(1, 2, 0)


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("org/name", DatasetRef(repo="org/name")),
        ("org/name@v1.2.0", DatasetRef(repo="org/name", version=V)),
        ("org/name@1.2.0", DatasetRef(repo="org/name", version=V)),
        ("org/name@v1.2.0:wrong", DatasetRef(repo="org/name", version=V, config="wrong")),
        ("org/name:corrupt-50", DatasetRef(repo="org/name", config="corrupt-50")),
        (f"org/name@{COMMIT}", DatasetRef(repo="org/name", commit=COMMIT)),
        ("org/wrongcot-math_2.1:mix-1", DatasetRef(repo="org/wrongcot-math_2.1", config="mix-1")),
    ],
)
def test_a_name_on_the_hub_is_read_and_written_back(text: str, ref: DatasetRef):
    assert parse_ref(text) == ref
    assert parse_ref(str(ref)) == ref


def test_what_exists_as_a_folder_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in ("data/traces", "data/odd:name", "data/odd@v1.0.0"):
        (tmp_path / name).mkdir(parents=True)
        assert parse_ref(name) == DatasetRef(folder=Path(name))
    assert parse_ref("data/traces:wrong") == DatasetRef(folder=Path("data/traces"), config="wrong")
    assert parse_ref("data/traces@v1.2.0") == DatasetRef(folder=Path("data/traces"), version=V)
    assert parse_ref("data/traces@1.2.0:wrong") == DatasetRef(folder=Path("data/traces"), version=V, config="wrong")


@pytest.mark.parametrize(
    "text", ["", "name", "a/b/c", "/no/such/folder", "org/", "../org/name", "org/na me", "o/n\n", "x" * 5000]
)
def test_what_is_neither_a_folder_nor_a_name_is_said_with_how_to_name_one(text: str):
    with pytest.raises(BadInput, match="neither a folder here nor a data set on the Hub") as caught:
        parse_ref(text)
    assert "ORG/NAME@v1.2.0:wrong" in caught.value.try_[0]


@pytest.mark.parametrize("text", ["org/name@latest", "org/name@", "org/name@main", "org/name@1.0", f"o/n@{COMMIT[:7]}"])
def test_what_is_no_version_is_said(text: str):
    with pytest.raises(BadInput, match="is no version"):
        parse_ref(text)


@given(st.text(max_size=40))
def test_no_text_raises_anything_else(text: str):
    with suppress(BadInput):
        parse_ref(text)


@pytest.mark.parametrize(
    "name", ["name", "a/b/c", "-a/b", "a/b c", "", "a/", "a/b--c", "a/b..c", "a/b.git", "https://huggingface.co/a/b"]
)
def test_where_a_push_goes_must_be_a_name(name: str):
    with pytest.raises(BadInput, match="no name on the Hub"):
        check_repo(name)
