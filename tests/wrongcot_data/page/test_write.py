"""From a folder to a page: the same bytes for the same rows, few rows of many, and no file of anybody else's lost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.forgery import change_rows
from wrongcot_data.errors import BadInput
from wrongcot_data.page.reading import browsable, entries, rows_at
from wrongcot_data.page.write import save_page
from wrongcot_data.publish.dataset import MANIFEST


def data_of(html: str) -> dict[str, Any]:
    """The traces in a page, as its script reads them."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html)
    found: dict[str, Any] = json.loads(text)
    return found


def configs_of(folder: Path) -> list[str]:
    return list(json.loads((folder / MANIFEST).read_text())["rows"])


def test_the_same_rows_are_the_same_bytes_wherever_they_lie(every_variant: Path, copied: Path, page_of):
    assert page_of(every_variant) == page_of(copied)
    assert page_of(every_variant, 40) == page_of(copied, 40)


def test_another_seed_and_another_size_are_another_page(every_variant: Path, page_of: Callable[..., str]):
    one, other = (data_of(page_of(every_variant, 100, seed)) for seed in (0, 1))
    assert {problem["id"] for problem in one["problems"]} != {problem["id"] for problem in other["problems"]}
    assert len(data_of(page_of(every_variant, 60))["traces"]) < len(one["traces"]) <= 100


def test_a_trace_in_the_page_is_the_row_it_says_it_is(every_variant: Path, rows, page_of):
    for trace in data_of(page_of(every_variant))["traces"]:
        config, number = trace["id"].split("/")
        row = rows(every_variant, config)[int(number)]
        text = row["completion"] if isinstance(row["completion"], str) else row["completion"][0]["content"]
        assert "".join(piece if isinstance(piece, str) else piece[0] for piece in trace["pieces"]) == text
        assert (trace["grade"], trace["told"], trace["answer"]) == (row["grade"], row["reason"], row["answer"])
        verdicts = [piece[1] for piece in trace["pieces"] if not isinstance(piece, str)]
        assert verdicts == [step["verdict"] for step in row.get("steps", [])]


def test_a_problem_says_how_many_rows_it_has_and_what_it_asks(every_variant: Path, rows, page_of):
    page = data_of(page_of(every_variant, 100))
    all_rows = [
        row for config in browsable(every_variant, configs_of(every_variant)) for row in rows(every_variant, config)
    ]
    for problem in page["problems"]:
        of_one = [row for row in all_rows if row["problem_id"] == problem["id"]]
        assert problem["there"] == len(of_one)
        assert problem["right"] == of_one[0]["reference_answer"]
        assert problem["prompt"] in {row["prompt"][0]["content"] for row in of_one if "prompt" in row}


def test_every_grade_and_reason_of_every_config_is_in_the_page_with_its_count(every_variant: Path, rows, page_of):
    html = page_of(every_variant, 1)
    shown = {(trace["id"].split("/")[0], trace["grade"], trace["reason"]) for trace in data_of(html)["traces"]}
    for config in browsable(every_variant, configs_of(every_variant)):
        for row in rows(every_variant, config):
            reason = "request failed" if row["grade"] == "error" else row["reason"].partition(":")[0]
            assert (config, row["grade"], reason) in shown


def test_rows_of_every_file_and_row_group_are_found_by_number(tmp_path: Path, every_variant: Path, rows):
    import pyarrow.parquet as pq

    (path,) = (every_variant / "samples").glob("*.parquet")
    table = pq.read_table(path)
    (tmp_path / "samples").mkdir()
    half = table.num_rows // 2
    for number, part in enumerate((table.slice(0, half), table.slice(half))):
        pq.write_table(part, tmp_path / "samples" / f"train-{number:05d}-of-00002.parquet", row_group_size=7)
    stored = table.to_pylist()
    wanted = [0, 6, 7, half - 1, half, half + 1, table.num_rows - 1]
    assert rows_at(tmp_path, "samples", wanted) == {number: stored[number] for number in wanted}
    assert rows_at(tmp_path, "samples", []) == {}
    found = list(entries(tmp_path, ["samples"]))
    assert [(entry.number, entry.problem_id) for entry in found] == [
        (number, row["problem_id"]) for number, row in enumerate(stored)
    ]


def test_a_paraphrase_has_the_trace_it_was_made_from_where_no_variant_holds_that(tmp_path: Path, scripted, page_of):
    scripted(tmp_path / "d", "--limit", 4, "--variant", "paraphrase")
    traces = [trace for trace in data_of(page_of(tmp_path / "d"))["traces"] if trace["variant"] == "paraphrase"]
    assert traces
    assert all(trace["beside"] >= 0 or trace["parentText"] for trace in traces)


def test_a_mix_is_a_variant_of_its_own(tmp_path: Path, scripted, page_of):
    scripted(tmp_path / "d", "--limit", 12, "--variant", "right", "--variant", "wrong", "--mix", "right=1,wrong=1")
    (mix,) = [config for config in configs_of(tmp_path / "d") if config.startswith("mix-")]
    traces = data_of(page_of(tmp_path / "d"))["traces"]
    assert {trace["grade"] for trace in traces if trace["variant"] == mix} == {"correct", "wrong"}


def test_a_manifest_that_tells_little_makes_a_page_all_the_same(copied: Path, page_of: Callable[..., str]):
    manifest = json.loads((copied / MANIFEST).read_text())
    for name in ("task", "engines", "licence", "versions"):
        del manifest[name]
    (copied / MANIFEST).write_text(json.dumps(manifest))
    assert "countdown: traces of scripted" in page_of(copied)


def test_rows_with_empty_columns_are_shown(copied: Path, page_of: Callable[..., str]):
    def empty(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row.update(reason=None, parent_id=None, prompt=None, teacher=None, sampling=None)

    change_rows(copied, "wrong", empty)
    traces = data_of(page_of(copied))["traces"]
    assert {trace["reason"] for trace in traces if trace["variant"] == "wrong"} == {""}


def test_a_page_replaces_an_older_one_and_no_other_file(tmp_path: Path, every_variant: Path, page_of):
    path = tmp_path / "new" / "page.html"
    html = page_of(every_variant, 10)
    assert save_page(path, html) == path.stat().st_size == len(html.encode())
    save_page(path, page_of(every_variant, 40))
    path.write_text("<!doctype html><p>mine")
    with pytest.raises(BadInput, match="no page of ours"):
        save_page(path, html)
    assert path.read_text() == "<!doctype html><p>mine"
    with pytest.raises(BadInput, match="no page of ours"):
        save_page(tmp_path, html)


def test_half_of_a_character_in_a_manifest_does_not_keep_the_page_from_being_written(
    tmp_path: Path, copied: Path, page_of
):
    manifest = json.loads((copied / MANIFEST).read_text())
    manifest["licence"]["name"] = "half \ud800 of one"
    (copied / MANIFEST).write_text(json.dumps(manifest))
    save_page(tmp_path / "page.html", page_of(copied))
    assert "half ? of one" in (tmp_path / "page.html").read_text()
