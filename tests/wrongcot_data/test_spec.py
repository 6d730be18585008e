"""The spec: unknown keys have a neighbour, and the hash knows what matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from wrongcot_data.errors import BadInput
from wrongcot_data.spec import OUTSIDE_HASH, BuildSpec, derive_seed, make_spec, read_config, spec_hash

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
        ({"limit": 0}, "limit: input should be greater than or equal to 1 (got 0)"),
        ({"variants": ["wrong", "wrong"]}, "a variant is named twice"),
        ({"variants": []}, "variants"),
        ({"sampling": 3}, "sampling"),
        ({"seed": -1}, "seed"),
    ],
)
def test_a_bad_field_is_named_in_one_line(fields: dict[str, object], message: str):
    with pytest.raises(BadInput) as caught:
        make_spec({**BASE, **fields})
    assert message in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "is no YAML"),
        ("- 1", "must hold `name: value` lines"),
        ("just words", "must hold"),
        ("1: 2", "must hold"),
    ],
)
def test_a_config_file_that_is_no_mapping_is_said_so(tmp_path: Path, text: str, message: str):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(BadInput, match=message):
        read_config(tmp_path / "c.yaml")


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
        "max_tokens_total": 9, "max_minutes": 1.5, "paraphrase": {"of": "wrong"},
    }  # fmt: skip
    assert changed.keys() == BuildSpec.model_fields.keys()
    base = spec_hash(make_spec(BASE))
    for name, value in changed.items():
        same = spec_hash(make_spec({**BASE, name: value})) == base
        assert same == (name in OUTSIDE_HASH or name == "paraphrase"), name  # that one counts where it is built


def test_who_paraphrases_what_counts_only_where_paraphrases_are_built():
    one, other = {"paraphraser": "gemma-9b"}, {"paraphraser": "self:gemma-2b"}
    asked = [spec_hash(make_spec({**BASE, "variants": ["paraphrase"], "paraphrase": about})) for about in (one, other)]
    assert asked[0] != asked[1]
    assert spec_hash(make_spec({**BASE, "paraphrase": one})) == spec_hash(make_spec({**BASE, "paraphrase": other}))


def test_the_order_of_variants_does_not_change_the_hash():
    one = make_spec({**BASE, "variants": ["right", "wrong"]})
    other = make_spec({**BASE, "variants": ["wrong", "right"]})
    assert spec_hash(one) == spec_hash(other)


def test_seeds_follow_from_content_and_fit_a_column_of_int64():
    assert derive_seed("a", 1) == derive_seed("a", 1)
    assert derive_seed("a", 1) != derive_seed("a", 2)
    assert all(0 <= derive_seed("a", n) < 2**63 for n in range(100))
