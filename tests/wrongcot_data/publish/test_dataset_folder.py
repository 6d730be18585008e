"""The folder as others see it: the real `datasets`, the real card class, plain TRL rows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from wrongcot_data.publish.card import fence, front_matter
from wrongcot_data.publish.columns import SAMPLES, schema
from wrongcot_data.publish.dataset import MANIFEST, ConfigWriter, list_files, put_in_place, rows_by_config
from wrongcot_data.publish.licence import licence
from wrongcot_data.tasks import get_task
from wrongcot_data.teachers.registry import Teacher, get_teacher

CONFIGS = ("wrong", "right", "reference", "samples")
VIEWS = ("preference", "stepwise")


@pytest.fixture
def load(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`datasets.load_dataset` with one cache of its own for a whole test."""
    from datasets import load_dataset

    cache = tmp_path_factory.mktemp("hf-cache")

    def load_config(folder: Path, config: str | None = None) -> Any:
        return load_dataset(str(folder), config, split="train", cache_dir=str(cache))

    return load_config


@pytest.mark.parametrize("config", [*CONFIGS, *VIEWS])
def test_datasets_loads_every_config_as_it_was_written(built: Path, rows, load, config: str):
    assert load(built, config).to_list() == rows(built, config)


def test_the_default_config_is_the_wrong_traces(built: Path, rows, load):
    from datasets import get_dataset_default_config_name

    assert get_dataset_default_config_name(str(built)) == "wrong"


def test_datasets_gives_the_new_rows_of_a_folder_that_was_built_again(tmp_path: Path, scripted, rows, load):
    """It names its cache by the card, not by the files: without a hash in the card it gives the old ones."""
    out = tmp_path / "d"
    scripted(out, "--limit", 10, "--variant", "reference")
    first = load(out, "reference").to_list()
    scripted(out, "--limit", 10, "--variant", "reference", "--split", "train", "--config", _other_puzzles(tmp_path))
    second = load(out, "reference").to_list()
    assert second == rows(out, "reference")
    assert second != first
    assert len(second) == len(first)


def _other_puzzles(tmp_path: Path) -> Path:
    (tmp_path / "c.yaml").write_text("problems: {sizes: [3]}")
    return tmp_path / "c.yaml"


def test_a_variant_without_rows_does_not_keep_the_others_from_loading(tmp_path: Path, scripted, load):
    rates = ["right=0", "wrong=1", "truncated=0", "malformed=0", "failure=0"]
    options = [word for rate in rates for word in ("--engine-option", rate)]
    receipt = scripted(tmp_path / "d", "--limit", 3, *options)["receipt"]
    assert receipt["kept"] == {"reference": 3, "right": 0, "wrong": 3}
    assert receipt["left_out"] == {"hopeless": 3}
    assert len(load(tmp_path / "d", "wrong")) == 3
    assert "| `right` | 0 |" in (tmp_path / "d" / "README.md").read_text()


def test_the_card_of_a_data_set_without_rows_says_so_in_whole_sentences(tmp_path: Path, scripted):
    """Its time is used up before the first reply is asked."""
    receipt = scripted(tmp_path / "d", "--limit", 2, "--variant", "wrong", "--max-minutes", 1e-9)["receipt"]
    assert receipt["samples"] == {}
    card = (tmp_path / "d" / "README.md").read_text()
    assert "This data set has no rows, and `datasets` cannot load it." in card
    assert "No reply of the teacher is in this data set." in card
    assert "none: the data set holds no reply" in card
    assert "load_dataset" not in card
    assert "0 replies" not in card
    assert "\n.\n" not in card
    assert "## Examples" not in card


def test_the_columns_of_a_trace_are_plain_and_never_null(built: Path, rows):
    for config in CONFIGS:
        table = pq.read_table(next((built / config).glob("*.parquet")))
        assert table.schema.equals(schema(get_task("countdown"), config))
        assert all(table.column(name).null_count == 0 for name in table.column_names)
    for row in rows(built, "wrong"):
        text = row["completion"][0]["content"]
        assert text == text.strip()
        assert [step["text"] for step in row["steps"]] == [text[step["start"] : step["end"]] for step in row["steps"]]


def test_every_wrong_and_right_row_points_to_a_sample_of_the_pool(built: Path, rows):
    pool = {row["sample_id"]: row for row in rows(built, SAMPLES)}
    for config in ("wrong", "right"):
        for row in rows(built, config):
            parent = pool[row["parent_id"]]
            assert parent["completion"].strip() == row["completion"][0]["content"]
            assert (parent["problem_id"], parent["grade"], parent["seed"]) == (
                row["problem_id"],
                row["grade"],
                row["seed"],
            )


def test_the_card_is_one_that_the_hub_library_reads(built: Path):
    from huggingface_hub import DatasetCard

    card = DatasetCard.load(built / "README.md")
    head = card.data.to_dict()
    assert head["license"] == "apache-2.0"
    assert head["size_categories"] == ["n<1K"]
    assert [config["config_name"] for config in head["configs"]] == [*CONFIGS, *VIEWS]
    assert [config["config_name"] for config in head["configs"] if config.get("default")] == ["wrong"]
    assert "None" not in card.text
    assert "{{" not in card.text


def test_the_card_shows_the_plots_and_the_numbers_of_the_report(built: Path, rows):
    card = (built / "README.md").read_text()
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", card)
    assert shown == ["report/steps.png", "report/first_errors.png", "report/lengths.png"]
    assert sorted(path.relative_to(built).as_posix() for path in (built / "report").iterdir()) == sorted(shown)
    flawed = sum(row["first_invalid_step"] < 0 for row in rows(built, "wrong"))
    assert f"| {flawed} of {len(rows(built, 'wrong'))} (" in card


FACTS = {
    "rows": {"wrong": 5, "right": 0},
    "summaries": {"wrong": "w", "right": "r"},
    "content": {"wrong": "sha256:1", "right": "sha256:2"},
    "spec": {"task": "countdown", "split": "test"},
    "task": {"author": "solver", "data_set": ""},
    "teacher": {"name": "t"},
    "licence": {"ids": ["mit", "other"], "name": "mit, terms of org/T", "link": "https://example.org"},
}


def test_a_licence_that_is_no_standard_one_has_its_name_and_link():
    head = front_matter(FACTS)
    assert (head["license"], head["license_name"], head["license_link"]) == (
        ["mit", "other"],
        "mit-terms-of-org-t",
        "https://example.org",
    )


def test_the_data_files_follow_the_split():
    (config,) = front_matter(FACTS)["configs"]
    assert config["data_files"] == [{"split": "test", "path": "wrong/test-*.parquet"}]


@pytest.mark.parametrize(
    ("teacher", "expected"),
    [(None, ["cc-by-4.0"]), ("smollm2-135m", ["cc-by-4.0", "apache-2.0"]), ("gemma-9b", ["cc-by-4.0", "gemma"])],
)
def test_the_licences_are_those_of_the_source_and_of_the_teacher(teacher: str | None, expected: list[str]):
    assert licence(get_task("mbpp"), get_teacher(teacher) if teacher else None)["ids"] == expected


def test_one_licence_of_source_and_teacher_is_named_once():
    assert licence(get_task("countdown"), get_teacher("smollm2-135m"))["ids"] == ["apache-2.0"]


def test_a_teacher_of_unknown_terms_makes_the_licence_other():
    found = licence(get_task("countdown"), Teacher("org/model", hub_id="org/model"))
    assert found == {
        "ids": ["apache-2.0", "other"],
        "name": "apache-2.0, terms of org/model",
        "link": "https://huggingface.co/org/model",
        "parts": [
            {"what": "problems and reference traces of countdown", "name": "apache-2.0", "link": ""},
            {"what": "what org/model wrote", "name": "terms of org/model", "link": "https://huggingface.co/org/model"},
        ],
    }


def test_no_text_can_break_out_of_its_fence():
    assert fence("a ```` b").splitlines()[0] == "`````text"


SCHEMA = pa.schema([("n", pa.int32()), ("text", pa.string())])


def test_a_large_config_is_split_into_numbered_files(tmp_path: Path):
    with ConfigWriter(tmp_path, "c", "train", SCHEMA, shard_bytes=1) as writer:
        for start in range(0, 3000, 1000):
            writer.write({"n": n, "text": "x"} for n in range(start, start + 1000))
    names = sorted(path.name for path in (tmp_path / "c").iterdir())
    assert names == [f"train-{number:05d}-of-00003.parquet" for number in range(3)]
    assert rows_by_config(list_files(tmp_path)) == {"c": 3000}


def test_a_replaced_data_set_leaves_nothing_of_the_old_one_and_all_of_the_rest(tmp_path: Path):
    new, folder = tmp_path / "new", tmp_path / "folder"
    for path in (new / "wrong" / "b", new / MANIFEST, folder / "wrong" / "a", folder / "right" / "a", folder / "mine"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(path))
    put_in_place(new, folder, ["wrong", "right"])
    left = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert left == ["mine", "wrong/b", MANIFEST]
    assert not new.exists()


def test_plain_trl_columns_are_all_that_training_needs(built: Path, load):
    data = load(built, "wrong").select_columns(["prompt", "completion"])
    for row in data:
        assert [turn["role"] for turn in row["prompt"] + row["completion"]] == ["user", "assistant"]


def test_the_folder_can_be_moved(tmp_path: Path, built: Path, run, load, rows):
    shutil.copytree(built, tmp_path / "elsewhere")
    run("verify", tmp_path / "elsewhere")
    assert load(tmp_path / "elsewhere", "wrong").to_list() == rows(built, "wrong")
