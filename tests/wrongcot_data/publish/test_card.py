"""The card: what the Hub takes, what a reader needs, the same bytes for the same folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import DatasetCard

from tests.hub.card_rules import faults_of, front_matter
from wrongcot_data.publish.card import card_of, marked
from wrongcot_data.publish.dataset import MANIFEST
from wrongcot_data.publish.dataset_info import dataset_info
from wrongcot_data.publish.licence import licence
from wrongcot_data.publish.manifest import read_manifest
from wrongcot_data.tasks import get_task
from wrongcot_data.teachers.registry import TEACHERS, Teacher, get_teacher
from wrongcot_data.versions.changelog import changelog, changelog_entry
from wrongcot_data.versions.release import make_release, without_paths
from wrongcot_data.versions.version import Change, Version

LOADED = """
import json, sys
from datasets import load_dataset_builder
found = {}
for config in sys.argv[2:]:
    builder = load_dataset_builder(sys.argv[1], config)
    builder.download_and_prepare()
    found[config] = builder.info._to_yaml_dict()
print(json.dumps(found))
"""

GSM8K = {"question": "Ann buys 3 boxes with 12 pens each. How many pens?", "answer": "3 * 12 = 36\n#### 36"}


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory, scripted) -> Path:
    """A data set with every variant, never to be written to."""
    out = tmp_path_factory.mktemp("everything") / "countdown"
    flags = [flag for name in ("reference", "right", "wrong", "paraphrase", "corrupt") for flag in ("--variant", name)]
    scripted(out, "--limit", 12, *flags, "--mix", "wrong=0.5,right=0.5")
    return out


def released(folder: Path, repo: str = "org/traces") -> str:
    entries = [changelog_entry(Version(1, 0, 0), None, "The first one.")]
    card = make_release(folder, read_manifest(folder), repo, entries).files["README.md"]
    assert isinstance(card, bytes)
    return card.decode()


def test_the_card_keeps_the_hubs_rules_before_and_after_a_release(everything: Path):
    for card in ((everything / "README.md").read_text(), released(everything), released(everything, "")):
        assert faults_of(card) == []
        parsed = DatasetCard(card)
        assert parsed.data.pretty_name
        assert "{{" not in card
        assert "\n\n\n\n" not in card
        assert "None" not in card


@pytest.mark.parametrize("name", ["gsm8k", "math", "mbpp"])
def test_the_card_of_every_task_keeps_the_hubs_rules(tmp_path: Path, run, name: str):
    rows = {
        "gsm8k": GSM8K,
        "math": {"problem": "What is $6 \\cdot 7$?", "level": "Level 1", "type": "Algebra",
                 "solution": "It is $6 \\cdot 7 = 42$, so \\boxed{42}."},
        "mbpp": {"task_id": 601, "text": "Write a function to add one.", "code": "def f(x):\n    return x + 1",
                 "test_list": ["assert f(1) == 2", "assert f(2) == 3"], "test_setup_code": "",
                 "challenge_test_list": []},
    }  # fmt: skip
    (tmp_path / "rows.jsonl").write_text(json.dumps(rows[name]) + "\n")
    flags = ["--variant", "reference", "--variant", "corrupt", "--level", "0", "--level", "50"]
    run("build", name, "--source", tmp_path / "rows.jsonl", *flags, "--limit", 1, "--out", tmp_path / "d")
    card = released(tmp_path / "d")
    assert faults_of(card) == []
    head = yaml.safe_load(front_matter(card) or "")
    assert head["source_datasets"] == [get_task(name).data_set]
    assert get_task(name).licence in str(head["license"])
    assert "## Licence" in card


@pytest.mark.parametrize("teacher", [*TEACHERS, "org/unknown-model"])
def test_the_terms_of_every_teacher_make_a_card_that_the_hub_takes(everything: Path, teacher: str):
    model = get_teacher(teacher) if teacher in TEACHERS else Teacher(teacher, hub_id=teacher)
    manifest = {**read_manifest(everything), "licence": licence(get_task("countdown"), model)}
    assert faults_of(card_of(everything, manifest)) == []
    assert f"| what {model.name} wrote |" in card_of(everything, manifest)


def test_the_same_folder_gives_the_same_bytes(everything: Path):
    assert released(everything) == released(everything)
    assert card_of(everything, read_manifest(everything)) == (everything / "README.md").read_text()


def test_dataset_info_is_what_datasets_itself_finds(everything: Path, tmp_path: Path, hub):
    configs = list(read_manifest(everything)["rows"])
    told = {one["config_name"]: one for one in dataset_info(everything, "train", configs)}
    command = [sys.executable, "-c", LOADED, str(everything), *configs]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    for config in configs:
        assert told[config] == found[config], config


def test_every_config_of_the_released_card_is_described(everything: Path):
    head = yaml.safe_load(front_matter(released(everything)) or "")
    rows = read_manifest(everything)["rows"]
    assert {one["config_name"] for one in head["dataset_info"]} == {name for name, count in rows.items() if count}
    for one in head["dataset_info"]:
        assert one["splits"][0]["num_examples"] == rows[one["config_name"]]
    assert [one["config_name"] for one in head["configs"] if one.get("default")] == [head["configs"][0]["config_name"]]


def test_every_variant_has_an_example_with_its_wrong_steps_marked(everything: Path):
    card = (everything / "README.md").read_text()
    for variant in read_manifest(everything)["composition"]["after"]:
        example = card.split(f"\n### `{variant}`\n")[-1].split("\n### ")[0]
        if variant.startswith("corrupt-") and variant != "corrupt-0":
            assert "\n✗ " in example
            assert ", made so by " in example
        else:
            assert "\n✓ " in example


def step(start: int, end: int, verdict: str) -> dict[str, Any]:
    return {"start": start, "end": end, "verdict": verdict}


def test_the_worst_step_of_a_line_marks_it():
    text = "1 + 1 = 2. 1 + 2 = 4.\nThink.\n2 + 2 = 4"
    row = {
        "completion": [{"role": "assistant", "content": text}],
        "steps": [step(0, 10, "valid"), step(11, 21, "invalid"), step(22, 28, "unchecked"), step(29, 38, "valid")],
    }
    assert marked(row) == "✗ 1 + 1 = 2. 1 + 2 = 4.\n  Think.\n✓ 2 + 2 = 4"


def test_a_changelog_has_the_newest_version_first():
    first = changelog_entry(Version(1, 0, 0), None, "")
    second = changelog_entry(Version(1, 1, 0), Change("minor", ("wrong has 3 rows more",)), "More puzzles.")
    assert changelog([second, first]) == (
        "### 1.1.0 (minor)\n\nMore puzzles.\n\n* wrong has 3 rows more\n\n### 1.0.0\n\n* the first version\n"
    )


def test_a_published_spec_has_no_path_of_the_builders_machine(everything: Path):
    spec = {
        **read_manifest(everything)["spec"],
        "teacher": "/home/me/models/my-model",
        "tokenizer": "./students/one",
        "problems": {"source": "/home/me/rows.jsonl"},
        "paraphrase": {"paraphraser": "self:/home/me/student", "of": "reference"},
        "engine_options": {"base_urls": ["http://10.0.0.1:8000"]},
    }
    cut = without_paths(spec)
    assert "/home" not in json.dumps(cut)
    assert (cut["teacher"], cut["tokenizer"], cut["problems"]["source"]) == ("my-model", "one", "rows.jsonl")
    assert cut["paraphrase"]["paraphraser"] == "self:student"
    assert cut["engine_options"] == {}


@pytest.mark.parametrize("name", ["gemma-9b", "google/gemma-2-9b-it"])
def test_names_that_others_know_stay(everything: Path, name: str):
    spec = {**read_manifest(everything)["spec"], "teacher": name, "tokenizer": name}
    assert (without_paths(spec)["teacher"], without_paths(spec)["tokenizer"]) == (name, name)


def test_a_task_of_a_plugin_brings_its_own_card(everything: Path, tmp_path: Path):
    (tmp_path / "countdown.md.jinja").write_text(
        '{% extends "_card.md.jinja" %}{% block title %}My{% endblock %}{% block about %}Mine.{% endblock %}'
        "{% block columns %}{% endblock %}{% block limits %}* none{% endblock %}{% block licence %}{% endblock %}"
    )
    assert "# My traces of known quality" in card_of(everything, read_manifest(everything), tmp_path)


def test_the_manifest_of_a_release_names_what_is_published(everything: Path):
    release = make_release(
        everything, read_manifest(everything), "org/traces", [changelog_entry(Version(1, 0, 0), None, "")]
    )
    assert set(release.files) == {MANIFEST, *(file["path"] for file in release.manifest["files"])}
    assert json.loads(release.files[MANIFEST]) == release.manifest
