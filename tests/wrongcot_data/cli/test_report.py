"""`report`: the same numbers as report.json, from the rows; and the page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from wrongcot_data.measure.report import REPORT


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page without a name of its own lands in the current folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def test_the_report_is_that_of_the_build_though_its_file_is_gone(tmp_path: Path, built: Path, run):
    copy = Path(shutil.copytree(built, tmp_path / "copy"))
    stored = json.loads((copy / REPORT).read_text())
    (copy / REPORT).unlink()
    found = json.loads(run("report", copy, "--json").stdout)
    assert found == {"dataset": str(copy), **stored}


def test_the_text_names_every_config_and_what_is_known_of_it(built: Path, run):
    text = run("report", built, "--no-html").stdout
    for config in json.loads((built / REPORT).read_text())["configs"]:
        assert f"{config}\n  rows" in text
    assert "wrong, sound prefix" in text
    assert "false equation" in text
    assert list(Path().iterdir()) == []


def test_a_folder_whose_rows_cannot_be_read_is_one_line(tmp_path: Path, built: Path, run):
    copy = Path(shutil.copytree(built, tmp_path / "copy"))
    (path,) = (copy / "right").glob("*.parquet")
    path.write_bytes(path.read_bytes()[:500])
    assert "cannot read the rows of" in run("report", copy, code=2).stderr
    path.unlink()
    assert "cannot read the rows of" in run("report", copy, code=2).stderr
    assert list(Path().iterdir()) == []


def test_the_page_is_named_after_the_data_set_and_lies_here_and_not_in_it(built: Path, run):
    before = sorted(built.rglob("*"))
    text = run("report", built).stdout
    assert "page  countdown-report.html\n" in text
    assert [path.name for path in Path().iterdir()] == ["countdown-report.html"]
    assert sorted(built.rglob("*")) == before


def test_a_script_gets_a_page_where_it_asks_for_one(tmp_path: Path, built: Path, run):
    run("report", built, "--json")
    assert list(Path().iterdir()) == []
    page = json.loads(run("report", built, "--json", "--html", tmp_path / "new" / "page.html", "--rows", 50).stdout)[
        "page"
    ]
    path = Path(page["path"])
    assert path.stat().st_size == page["bytes"]
    assert page["shown"] <= 50 < page["rows"]
    assert f"<strong>{page['shown']} of {page['rows']:,} rows</strong>" in path.read_text()


def test_the_page_opens_in_the_browser_where_that_is_wanted(built: Path, run, monkeypatch: pytest.MonkeyPatch):
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    run("report", built)
    assert opened == []
    run("report", built, "--open")
    assert opened == [Path("countdown-report.html").resolve().as_uri()]


def test_a_file_of_the_users_own_is_not_written_over(built: Path, run):
    Path("mine.html").write_text("mine")
    assert "mine.html is there and is no page of ours" in run("report", built, "--html", "mine.html", code=2).stderr
    assert Path("mine.html").read_text() == "mine"


def test_no_page_and_a_page_cannot_both_be_had(built: Path, run):
    assert "--no-html" in run("report", built, "--no-html", "--open", code=2).stderr


def test_a_version_gives_its_name_to_its_page(tmp_path: Path, built: Path, run):
    shelf = tmp_path / "sets"
    run("push", built, "--to", shelf, "--version", "1.0.0")
    text = run("report", f"{shelf}@v1.0.0").stdout
    assert "page  sets-v1.0.0-report.html\n" in text
    assert "sets@v1.0.0</dd>" in Path("sets-v1.0.0-report.html").read_text()


def test_of_one_config_there_is_one_account_and_its_traces(built: Path, run):
    found = json.loads(run("report", f"{built}:wrong", "--json", "--html", "page.html").stdout)
    assert list(found["configs"]) == ["wrong"]
    assert found["page"]["rows"] == found["configs"]["wrong"]["rows"]
    assert "did you mean wrong?" in run("report", f"{built}:wron", code=2).stderr
