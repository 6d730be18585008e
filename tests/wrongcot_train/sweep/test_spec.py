"""A sweep file: what it may say, and what is said where it says something else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.wrongcot_train.cells import MATRIX, spec_of
from wrongcot_data.errors import BadInput
from wrongcot_train.sweep.cells import PROGRAM, cells_of, chosen, command, steps_of
from wrongcot_train.sweep.comparing import against
from wrongcot_train.sweep.names import named, short
from wrongcot_train.sweep.spec import EvalPlan, check_names, make_sweep, read_sweep


def test_every_student_meets_every_data_set_with_every_seed_and_the_first_seed_of_all_comes_first() -> None:
    spec = spec_of(students={"a": "smollm2-135m", "b": "gemma-2b"})
    assert [cell.name for cell in cells_of(spec)] == [
        *("a--base", "b--base"),
        *("a--reference--seed1", "a--wrong--seed1", "b--reference--seed1", "b--wrong--seed1"),
        *("a--reference--seed2", "a--wrong--seed2", "b--reference--seed2", "b--wrong--seed2"),
    ]


def test_a_name_depends_on_its_own_reference_only() -> None:
    few = named("data", ["data/countdown:wrong"])
    many = named("data", ["data/countdown:wrong", "data/gsm8k:wrong", "org/set@v1.2.0:corrupt-50"])
    assert list(few) == list(many)[:1] == ["countdown-wrong"]
    assert list(many)[2] == "set-v1.2.0-corrupt-50"


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("smollm2-135m", "smollm2-135m"),
        ("/models/My Model/", "My-Model"),
        ("../weird--name??", "weird-name"),
        ("😀", "unnamed"),
        ("x" * 200, "x" * 60),
    ],
)
def test_names_of_odd_references_can_be_folders(reference: str, name: str) -> None:
    assert short(reference) == name


def test_two_that_would_share_a_folder_are_refused_and_can_be_named() -> None:
    with pytest.raises(BadInput, match="two of data would be called 'set-wrong'") as refused:
        make_sweep(MATRIX | {"data": ["a/set:wrong", "b/set:wrong"]})
    assert "ONE: a/set:wrong" in refused.value.try_[0]
    spec = make_sweep(MATRIX | {"data": {"A": "a/set:wrong", "B": "b/set:wrong"}})
    assert len({cell.name for cell in cells_of(spec)}) == 5
    with pytest.raises(BadInput, match="would be called 'WRONG'"):  # one folder, on many a disk
        make_sweep(MATRIX | {"data": {"wrong": "a/set:wrong", "WRONG": "b/set:wrong"}})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sedes": [1]}, "unknown sweep key 'sedes': did you mean seeds?"),
        ({"students": []}, "a sweep needs students"),
        ({"students": {"a--b": "x"}}, "'a--b' in students cannot name a folder"),
        ({"students": {"../up": "x"}}, "'../up' in students cannot name a folder"),
        ({"students": [3]}, "students must be texts, not 3"),
        ({"data": ["data/countdown"]}, "data 'data/countdown' does not say which traces"),
        ({"data": {"base": "a/b:wrong"}}, "'base' is the untrained student"),
        ({"seeds": [1, 1]}, "seeds must be different numbers"),
        ({"seeds": [-1]}, "seeds must be different numbers"),
        ({"seeds": 3}, "seeds: "),
        ({"sft": {"seed": 1}}, "sft.seed is decided by the sweep"),
        ({"sft": {"output_dir": "x"}}, "sft.output_dir is decided by the sweep"),
        ({"eval": [{"taks": "countdown"}]}, "eval.0 names no task"),
        ({"eval": [{"task": "countdown", "limt": 3}]}, "unknown config key 'eval.0.limt': did you mean eval.0.limit?"),
        ({"eval": ["countdown", "countdown"]}, "two evals are called countdown"),
        ({"eval": [{"task": "countdown", "name": "a/b"}]}, "'a/b' in eval cannot name a folder"),
        ({"eval": [{"task": "countdown", "limit": 0}]}, "eval.0.limit: "),
        ({"against": "wrnog"}, "unknown name in against 'wrnog': did you mean wrong?"),
        ({"base": False, "against": "base"}, "unknown name in against 'base'"),
    ],
)
def test_what_no_sweep_can_be_is_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as refused:
        make_sweep(MATRIX | changes)
    assert refused.value.message.startswith(message)


def test_lists_and_single_words_do_as_well_as_mappings(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("students: smollm2-135m\ndata: [a/set:wrong]\neval: countdown\n")
    spec = read_sweep(tmp_path / "s.yaml")
    assert (spec.students, spec.data) == ({"smollm2-135m": "smollm2-135m"}, {"set-wrong": "a/set:wrong"})
    assert (spec.seeds, spec.eval) == ((42,), (EvalPlan(task="countdown"),))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"students": ["smolm2-135m"]}, "unknown student 'smolm2-135m': did you mean smollm2-135m?"),
        ({"eval": ["cuontdown"]}, "unknown task 'cuontdown': did you mean countdown?"),
        ({"eval": [{"task": "countdown", "split": "tset"}]}, "unknown split of countdown 'tset': did you mean test?"),
        ({"eval": [{"task": "countdown", "engine": "vlm"}]}, "unknown engine 'vlm'"),
        (
            {"eval": [{"task": "countdown", "engine_options": {"bach_size": 4}}]},
            "unknown config key 'transformers.bach_size'",
        ),
        ({"sft": {"lerning_rate": 1}}, "unknown config key 'lerning_rate': did you mean learning_rate?"),
        ({"sft": {"packing": "perhaps"}}, "packing"),
        ({"preset": "labtop"}, "unknown preset 'labtop': did you mean laptop?"),
        ({"data": ["nowhere:wrong"]}, "'nowhere:wrong' is neither a folder here nor a data set on the Hub"),
    ],
)
def test_names_are_looked_up_before_anything_runs(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_names(make_sweep(MATRIX | changes))
    assert refused.value.message.startswith(message)


def test_a_variant_that_a_folder_lacks_is_named_with_the_nearest(
    tmp_path: Path, make_dataset: Callable[..., Path]
) -> None:
    folder = make_dataset(tmp_path / "set", {"wrong": [("a", "b")]})
    with pytest.raises(BadInput, match="unknown variant 'wrnog': did you mean wrong"):
        check_names(spec_of(data=[f"{folder}:wrnog"]))


def test_the_commands_are_those_that_a_person_would_type(tmp_path: Path) -> None:
    plan = {"task": "gsm8k", "name": "four", "limit": 9, "max_tokens": 64, "samples": 4, "temperature": 0.7}
    plan |= {"problems": {"style": "a b"}, "engine_options": {"right": 0.5}, "source": "problems file.jsonl"}
    spec = spec_of(sft={"max_steps": 4}, preset="laptop", eval=[plan])
    cell = cells_of(spec)[1]
    train, ask = steps_of(spec, cell)
    assert command(spec, cell, train, Path("c")) == [
        *("sft", "--student", "smollm2-135m", "--dataset", "org/set:reference", "--seed", "1", "--preset", "laptop"),
        *("--config", "c/sft.yaml", "--out", "c/student"),
    ]
    assert "--resume" in command(spec, cell, train, Path("c"), resume=True)
    assert command(spec, cell, ask, Path("c")) == [
        *("eval", "--model", "c/student", "--task", "gsm8k", "--split", "test", "--limit", "9", "--seed", "0"),
        *("--max-tokens", "64", "--engine", "transformers", "--samples", "4", "--temperature", "0.7"),
        *("--source", "problems file.jsonl", "--problems", 'style="a b"', "--engine-option", "right=0.5"),
        *("--out", "c/eval-four"),
    ]
    base = cells_of(spec)[0]
    assert [step.name for step in steps_of(spec, base)] == ["eval-four"]
    assert "smollm2-135m" in command(spec, base, steps_of(spec, base)[0], Path("c"))
    assert PROGRAM[1:] == ("-P", "-m", "wrongcot_train")


def test_flags_of_the_commands_are_those_that_they_have() -> None:
    from wrongcot_train.cli import main

    spec = spec_of(sft={"max_steps": 4}, eval=[{"task": "countdown", "max_tokens": 8, "batch_size": 2, "source": "f"}])
    cell = cells_of(spec)[1]
    for step in steps_of(spec, cell):
        verb, *words = command(spec, cell, step, Path("c"))
        program = main.get_command(None, verb)  # type: ignore[arg-type]
        assert program is not None
        known = {flag for option in program.params for flag in option.opts}
        assert {word for word in words if word.startswith("--")} <= known


def test_cells_are_chosen_by_name_or_by_pattern() -> None:
    cells = cells_of(spec_of())
    assert [cell.name for cell in chosen(cells, ["small--base"], ["*--wrong--*"])] == [
        *("small--base", "small--wrong--seed1", "small--wrong--seed2")
    ]
    assert chosen(cells, [], []) == cells
    with pytest.raises(BadInput, match="unknown cell 'small--wrong--seed3': did you mean small--wrong--seed"):
        chosen(cells, ["small--wrong--seed3"], [])
    with pytest.raises(BadInput, match="no cell is like 'large"):
        chosen(cells, [], ["large*"])


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "reference"),
        ({"against": "wrong"}, "wrong"),
        ({"data": {"w": "a/b:wrong", "r": "a/b:right"}}, "base"),
        ({"data": {"w": "a/b:wrong", "r": "a/b:right"}, "base": False}, "w"),
    ],
)
def test_whom_the_others_are_held_against(changes: dict[str, Any], name: str) -> None:
    assert against(spec_of(**changes)) == name
