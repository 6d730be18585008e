"""The spec: unknown keys have a neighbour, and the hash knows what matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from wrongcot_data.cli.build import build
from wrongcot_data.errors import BadInput, unknown
from wrongcot_data.spec import (
    FLAG_KEYS,
    FLAGS_ONLY,
    OUTSIDE_HASH,
    BuildSpec,
    derive_seed,
    make_spec,
    read_config,
    spec_hash,
)

BASE = {"task": "countdown"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"limt": 3}, "unknown config key 'limt': did you mean limit?"),
        (
            {"sampling": {"temprature": 1}},
            "unknown config key 'sampling.temprature': did you mean sampling.temperature?",
        ),
        ({"variants": ["wrog"]}, "unknown variant 'wrog': did you mean wrong?"),
        ({"max_tokens": 5}, "unknown config key 'max_tokens': it is sampling.max_tokens"),
        ({"temperature": 0.5}, "it is sampling.temperature"),
        ({"top-p": 0.5}, "it is sampling.top_p"),
        ({"variant": "wrong"}, "it is variants"),
        ({"source": "x.jsonl"}, "it is problems.source"),
        ({"base_url": "http://x"}, "it is engine_options.base_urls"),
        ({"out": "x"}, "unknown config key 'out': it is a flag only, --out"),
        ({"dry_run": True}, "it is a flag only, --dry-run"),
        ({"max_minutes": float("inf")}, "max_minutes: input should be a finite number"),
        ({"task": ""}, "which task?"),
        ({"limit": 0}, "limit: input should be greater than or equal to 1 (got 0)"),
        ({"variants": ["wrong", "wrong"]}, "a variant is named twice"),
        ({"variants": []}, "variants"),
        ({"views": ["prefrence"]}, "unknown view 'prefrence': did you mean preference?"),
        ({"views": ["stepwise", "stepwise"]}, "a view is named twice"),
        ({"sampling": 3}, "sampling"),
        ({"seed": -1}, "seed"),
    ],
)
def test_a_bad_field_is_named_in_one_line(fields: dict[str, object], message: str):
    with pytest.raises(BadInput) as caught:
        make_spec({**BASE, **fields})
    assert message in caught.value.message
    assert "\n" not in caught.value.message


def test_every_flag_of_build_is_a_field_or_has_its_key_in_the_table():
    flags = [option.opts[-1] for option in build.params if option.opts[-1].startswith("--")]
    names = {flag.removeprefix("--").replace("-", "_") for flag in flags}
    tabled = set(FLAG_KEYS) | set(FLAGS_ONLY)
    for name in names - {"help", "problems"}:
        assert (name in BuildSpec.model_fields) != (name in tabled), name
    page = (Path(__file__).parents[2] / "docs" / "build.md").read_text()
    for name in tabled - {"top_p", "base_urls"}:
        assert f"`--{name.replace('_', '-')}" in page.split("## Config file")[1], name
    for key in FLAG_KEYS.values():
        assert f"`{key}" in page, key


def test_a_name_is_offered_only_where_it_is_alike():
    known = ["dtype", "tensor_parallel_size", "data_parallel_size", "max_num_seqs", "right", "failure_rate"]
    for name in ("batch_size", "failure", "foo", "lod_format"):
        assert ("did you mean" in unknown("option", name, known).message) == (name == "failure"), name
    assert "did you mean countdown" in unknown("task", "cuntdown", ["countdown", "gsm8k"]).message
    assert "did you mean gemma-9b" in unknown("teacher", "gemma9b", ["gemma-2b", "gemma-9b", "qwen-7b"]).message
    assert unknown("grade", "right", ["wrong", "correct"]).message.endswith("known: correct, wrong")
    assert "did you mean" not in unknown("key", "foo", ["dtype"], "engine_options.").message


def test_of_many_known_names_twelve_are_listed():
    told = unknown("key", "foo", [f"name_{number:02}" for number in range(40)]).message
    assert told.endswith("name_11, ...")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "is no YAML"),
        ("- 1", "must hold `name: value` lines"),
        ("just words", "must hold"),
        ("1: 2", "must hold"),
        ("a: 1\nb: 2\na: 3", "'a' stands there twice"),
        ("a: {b: 1, b: 1}", "'b' stands there twice"),
    ],
)
def test_a_config_file_that_is_no_mapping_is_said_so(tmp_path: Path, text: str, message: str):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(BadInput, match=message):
        read_config(tmp_path / "c.yaml")


def test_what_a_config_file_merges_in_may_be_said_again(tmp_path: Path):
    (tmp_path / "c.yaml").write_text("a: &all {x: 1, y: 2}\nb: {<<: *all, x: 3}\n")
    assert read_config(tmp_path / "c.yaml")["b"] == {"x": 3, "y": 2}


def test_a_config_file_that_is_not_there_or_not_text_is_said_so(tmp_path: Path):
    with pytest.raises(BadInput, match="cannot read"):
        read_config(tmp_path / "none.yaml")
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="is no YAML"):
        read_config(tmp_path / "c.yaml")


def test_the_hash_changes_with_every_field_inside_it_and_with_none_outside():
    changed = {
        "task": "other", "teacher": "other", "variants": ["wrong"], "limit": 7, "per_problem": 2, "max_attempts": 3,
        "seed": 5, "split": "test", "problems": {"a": 1}, "prompt": "chat-few", "sampling": {"top_p": 0.5},
        "engine": "vllm", "engine_options": {"batch_size": 1}, "give_up_below": 0.2, "ask_ahead": 0.3,
        "max_tokens_total": 9, "max_minutes": 1.5, "views": ["preference"],
        "match": "size", "tokenizer": "other", "mixes": [{"wrong": 1, "right": 1}],
        "paraphrase": {"of": "wrong"}, "corrupt": {"mode": "propagate"},
    }  # fmt: skip
    assert changed.keys() == BuildSpec.model_fields.keys()
    everything = {**BASE, "variants": ["wrong", "right", "paraphrase", "corrupt"]}
    base = spec_hash(make_spec(everything))
    for name, value in changed.items():
        same = spec_hash(make_spec({**everything, name: value})) == base
        assert same == (name in OUTSIDE_HASH), name


def test_who_paraphrases_what_counts_only_where_paraphrases_are_built():
    one, other = {"paraphraser": "gemma-9b"}, {"paraphraser": "self:gemma-2b"}
    asked = [spec_hash(make_spec({**BASE, "variants": ["paraphrase"], "paraphrase": about})) for about in (one, other)]
    assert asked[0] != asked[1]
    assert spec_hash(make_spec({**BASE, "paraphrase": one})) == spec_hash(make_spec({**BASE, "paraphrase": other}))


def test_how_traces_are_corrupted_is_in_the_hash_only_where_they_are():
    corrupt = {"corrupt": {"levels": [50]}}
    assert spec_hash(make_spec({**BASE, **corrupt})) == spec_hash(make_spec(BASE))
    built = {**BASE, "variants": ["corrupt"]}
    assert spec_hash(make_spec({**built, **corrupt})) != spec_hash(make_spec(built))


def test_the_order_of_variants_does_not_change_the_hash():
    one = make_spec({**BASE, "variants": ["right", "wrong"]})
    other = make_spec({**BASE, "variants": ["wrong", "right"]})
    assert spec_hash(one) == spec_hash(other)


def test_seeds_follow_from_content_and_fit_a_column_of_int64():
    assert derive_seed("a", 1) == derive_seed("a", 1)
    assert derive_seed("a", 1) != derive_seed("a", 2)
    assert all(0 <= derive_seed("a", n) < 2**63 for n in range(100))
