"""`report`: the same numbers as report.json, from the rows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from wrongcot_data.measure.report import REPORT


def test_the_report_is_that_of_the_build_though_its_file_is_gone(tmp_path: Path, built: Path, run):
    copy = Path(shutil.copytree(built, tmp_path / "copy"))
    stored = json.loads((copy / REPORT).read_text())
    (copy / REPORT).unlink()
    found = json.loads(run("report", copy, "--json").stdout)
    assert found == {"dataset": str(copy), **stored}


def test_the_text_names_every_config_and_what_is_known_of_it(built: Path, run):
    text = run("report", built).stdout
    for config in json.loads((built / REPORT).read_text())["configs"]:
        assert f"{config}\n  rows" in text
    assert "wrong, sound prefix" in text
    assert "false equation" in text


def test_a_folder_whose_rows_cannot_be_read_is_one_line(tmp_path: Path, built: Path, run):
    copy = Path(shutil.copytree(built, tmp_path / "copy"))
    (path,) = (copy / "right").glob("*.parquet")
    path.write_bytes(path.read_bytes()[:500])
    assert "cannot read the rows of" in run("report", copy, code=2).stderr
    path.unlink()
    assert "cannot read the rows of" in run("report", copy, code=2).stderr
