"""Evals by the scripted engine and made by hand: what is paired, what is refused, what is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from wrongcot_data.errors import BadInput, CheckFailed
from wrongcot_data.spec import content_hash
from wrongcot_train.cli import main
from wrongcot_train.cli.compare import ALLOWED as OFFERED
from wrongcot_train.cli.compare import groups_of
from wrongcot_train.compare import ALLOWED, compare, read_groups, read_run
from wrongcot_train.evaluate import EvalSpec, evaluate, prepare, score_items
from wrongcot_train.statistics import mcnemar

MARKS = {"+": "correct", "-": "wrong", ".": "no_answer", "?": "disputed", "~": "truncated"}

Make = Callable[..., Path]


@pytest.fixture
def make_eval(tmp_path: Path) -> Make:
    """An eval with a grade an item, written as marks: + correct, - wrong, . no answer."""

    def make(name: str, marks: str, first: int = 0, **changes: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        rows = [
            {
                "problem_id": f"p{number}",
                "prompt": f"What is {number}?",
                "completion": f"{name} says {number}",
                "grade": MARKS[mark],
                "reason": "equals" if mark == "+" else "wrong value",
                "answer": str(number) if mark in "+-?" else "",
                "correct": mark == "+",
                "n_tokens": 3,
            }
            for number, mark in enumerate(marks, start=first)
        ]
        pq.write_table(pa.Table.from_pylist(rows), folder / "items.parquet")
        score = {
            **score_items([[row] for row in rows]),
            "model": name,
            "task": "countdown",
            "split": "test",
            "revision": name,
            "prompt_template": "countdown/chat-zero@1",
            "temperature": 0.0,
            "top_p": 1.0,
            "max_tokens": 256,
            "engine": "scripted 0",
            "dtype": "",
            "sandbox": "",
            "items_sha256": content_hash([row["problem_id"] for row in rows]),
            "grader_version": "1",
        }
        (folder / "score.json").write_text(json.dumps(score | changes))
        return folder

    return make


def compared(*groups: Path | Sequence[Path], **options: Any) -> dict[str, Any]:
    folders = {f"g{number}": [one] if isinstance(one, Path) else one for number, one in enumerate(groups)}
    return compare(read_groups(folders), **options)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["compare", *map(str, arguments)])


def test_pairs_are_made_by_item_and_not_by_row(make_eval: Make, tmp_path: Path) -> None:
    a, b = make_eval("a", "++--++--+."), make_eval("b", "+-+-++++..")
    rows = pq.read_table(b / "items.parquet").to_pylist()[::-1]
    pq.write_table(pa.Table.from_pylist(rows), b / "items.parquet")
    score = json.loads((b / "score.json").read_text())
    (b / "score.json").write_text(
        json.dumps(score | {"items_sha256": content_hash([row["problem_id"] for row in rows])})
    )
    (one,) = compared(a, b)["comparisons"]
    assert (one["gained"], one["lost"]) == (["p2", "p6", "p7"], ["p1", "p8"])
    assert one["strict"]["difference"] == pytest.approx(0.1)
    assert one["strict"]["p"] == mcnemar(3, 2)
    assert one["strict"]["p_holm"] == one["strict"]["p"]


def test_both_denominators_are_told_and_the_headline_is_over_all_items(make_eval: Make) -> None:
    told = compared(make_eval("a", "++----...."), make_eval("b", "+-----++.."))
    of_a, of_b = (group["runs"][0] for group in told["groups"])
    assert (of_a["strict"]["n"], of_a["answered"]["n"], of_b["answered"]["n"]) == (10, 6, 8)
    one = told["comparisons"][0]
    assert (one["strict"]["n"], one["strict"]["difference"]) == (10, pytest.approx(0.1))
    assert (one["answered"]["n"], one["answered"]["difference"]) == (6, pytest.approx(-1 / 6))


def test_answered_is_left_out_where_too_few_items_are_answered_by_both(make_eval: Make) -> None:
    assert compared(make_eval("a", "+++......."), make_eval("b", "..-+++...."))["comparisons"][0]["answered"] is None


def test_one_run_may_be_held_against_itself(make_eval: Make) -> None:
    a = make_eval("a", "++--++--+.")
    strict = compared(a, a)["comparisons"][0]["strict"]
    assert (strict["difference"], strict["p"], strict["gained"], strict["lost"]) == (0.0, 1.0, 0, 0)


def test_many_are_held_against_the_first_or_each_other_with_holm(make_eval: Make) -> None:
    folders = [make_eval(name, marks) for name, marks in (("a", "-" * 20), ("b", "+" * 20), ("c", "+" * 8 + "-" * 12))]
    first = compared(*folders)["comparisons"]
    assert [(one["a"], one["b"]) for one in first] == [("g0", "g1"), ("g0", "g2")]
    assert first[0]["strict"]["p_holm"] == pytest.approx(2 * first[0]["strict"]["p"])
    every = compared(*folders, all_pairs=True)["comparisons"]
    assert [(one["a"], one["b"]) for one in every] == [("g0", "g1"), ("g0", "g2"), ("g1", "g2")]
    assert every[0]["strict"]["p_holm"] == pytest.approx(3 * first[0]["strict"]["p"])


def test_runs_of_one_recipe_keep_their_spread_apart_from_item_noise(make_eval: Make) -> None:
    a = [make_eval(f"a-{number}", marks) for number, marks in enumerate(["+++-------", "++--------", "++++------"])]
    b = [make_eval(f"b-{number}", marks) for number, marks in enumerate(["++++++----", "+++++++---"])]
    told = compared(a, b)
    of_a = told["groups"][0]
    assert (of_a["strict"], of_a["deviation"]) == (pytest.approx(0.3), pytest.approx(0.1))
    (one,) = told["comparisons"]
    assert one["strict"]["test"] == "sign flips"
    assert one["runs"]["test"] == "Welch's t"
    assert one["runs"]["n"] == [3, 2]
    assert one["strict"]["difference"] == pytest.approx(one["runs"]["difference"]) == pytest.approx(0.35)
    assert one["gained"][0] in {"p4", "p5"}  # by all runs of b, by none of a
    assert one["strict"]["odds"] is None


def test_several_runs_that_have_nothing_right_are_not_known_to_be_worth_nothing(make_eval: Make) -> None:
    a, b = ([make_eval(f"{name}-{number}", "-" * 12) for number in range(2)] for name in "ab")
    told = compared(a, b)
    alone = compared(make_eval("alone", "-" * 12), make_eval("other", "-" * 12))["groups"][0]
    for group in told["groups"]:
        assert (group["strict"], group["low"]) == (0.0, 0.0)
        assert group["high"] == pytest.approx(alone["high"])  # two runs on these items tell no more of other items
    strict = told["comparisons"][0]["strict"]
    assert strict["low"] < strict["difference"] == 0.0 < strict["high"]


def test_spread_of_a_single_run_is_not_known(make_eval: Make) -> None:
    told = compared(make_eval("a", "+" * 10), [make_eval("b", "-" * 10), make_eval("c", "+" + "-" * 9)])
    assert told["groups"][0]["deviation"] is None
    assert told["comparisons"][0]["runs"] is None


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"task": "gsm8k"}, "task differs: countdown in .*a, gsm8k in .*b", None),
        ({"prompt_template": "countdown/plain-v1@1"}, "prompt_template differs", "--allow prompt_template"),
        ({"grader_version": "2"}, "grader_version differs: 1 in .*a, 2 in .*b", "grade anew"),
        ({"max_tokens": 8}, "max_tokens differs", "--max-tokens N"),
        ({"temperature": 0.7}, "temperature differs", "same sampling"),
        ({"top_p": 0.9}, "top_p differs", "same sampling"),
    ],
)
def test_evals_asked_in_other_ways_are_refused(
    changes: dict[str, Any], message: str, hint: str | None, make_eval: Make
) -> None:
    a, b = make_eval("a", "+-" * 10), make_eval("b", "+-" * 10, **changes)
    with pytest.raises(BadInput, match=message) as refused:
        compared(a, b)
    assert (hint or "") in "".join(refused.value.try_)


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed_to_differ_is_said(name: str, make_eval: Make) -> None:
    a, b = make_eval("a", "+-" * 10), make_eval("b", "+-" * 10, **{name: "another"})
    (note,) = compared(a, b, allow=[name])["notes"]
    assert note.startswith(f"{name} differs")
    assert note.endswith("allowed")
    assert set(OFFERED) == set(ALLOWED)


@pytest.mark.parametrize("name", ["engine", "dtype", "sandbox"])
def test_engine_arithmetic_and_sandbox_may_differ_and_are_said(name: str, make_eval: Make) -> None:
    a, b = make_eval("a", "+-" * 10), make_eval("b", "+-" * 10, **{name: "another"})
    (note,) = compared(a, b)["notes"]
    assert note.startswith(f"{name} differs, which alone can change some items")


def test_scores_of_before_these_fields_were_kept_still_compare(make_eval: Make) -> None:
    a, b = make_eval("a", "+-" * 10), make_eval("b", "+-" * 10)
    score = json.loads((a / "score.json").read_text())
    (a / "score.json").write_text(
        json.dumps({k: v for k, v in score.items() if k not in {"top_p", "dtype", "sandbox"}})
    )
    assert compared(a, b)["notes"] == []


def test_other_items_are_refused_or_left_out_by_name(make_eval: Make) -> None:
    a, b = make_eval("a", "+" * 20), make_eval("b", "-" * 20, first=5)
    with pytest.raises(BadInput, match=r"15 of them in all: 5 in .*a that not all have \(p0, p1, p2, \.\.\.\)") as no:
        compared(a, b)
    assert "--common-items    (the 15 items in all of them)" in no.value.try_
    told = compared(a, b, common=True)
    assert told["n"] == told["comparisons"][0]["strict"]["n"] == 15
    assert told["left_out"][str(a)] == ["p0", "p1", "p2", "p3", "p4"]
    assert told["groups"][0]["runs"][0]["strict"]["n"] == 15


def test_items_too_few_to_show_anything_are_refused(make_eval: Make) -> None:
    with pytest.raises(BadInput, match="5 items cannot show a difference") as refused:
        compared(make_eval("a", "+++++"), make_eval("b", "-----"))
    assert "--limit 200" in refused.value.try_[0]
    assert compared(make_eval("c", "+" * 6), make_eval("d", "-" * 6))["comparisons"][0]["strict"]["p"] < 0.05


def test_groups_must_be_two_and_their_runs_different(make_eval: Make) -> None:
    a, b = make_eval("a", "+-" * 10), make_eval("b", "-+" * 10)
    with pytest.raises(BadInput, match="two evals or more"):
        compared(a)
    with pytest.raises(BadInput, match="one folder twice"):
        compared([a, a], b)
    with pytest.raises(BadInput, match="has no runs"):
        compared(a, [])
    c = make_eval("c", "+-" * 10, revision="a")
    assert "same weights more than once" in compared([a, c], b)["notes"][0]


def test_folders_without_a_whole_eval_are_refused(make_eval: Make, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no eval"):
        read_run(tmp_path / "nowhere")
    a = make_eval("a", "+-" * 10)
    (a / "items.jsonl").write_text("")
    shutil.move(a / "score.json", tmp_path / "score.json")
    with pytest.raises(BadInput, match="has not finished"):
        read_run(a)
    (a / "score.json").write_text("{")
    with pytest.raises(CheckFailed, match="is damaged"):
        read_run(a)
    (a / "score.json").write_text((tmp_path / "score.json").read_text())
    pq.write_table(pq.read_table(a / "items.parquet").slice(0, 19), a / "items.parquet")
    with pytest.raises(CheckFailed, match="do not give the score"):
        read_run(a)
    twice = pq.read_table(make_eval("b", "+-" * 10) / "items.parquet")
    pq.write_table(pa.concat_tables([twice, twice]), tmp_path / "b" / "items.parquet")
    with pytest.raises(BadInput, match="several rows for one item"):
        read_run(tmp_path / "b")


def test_real_evals_are_compared_with_the_texts_of_what_flipped(tmp_path: Path) -> None:
    for name, right in (("weak", 0.2), ("strong", 0.7)):
        rates = {"right": right, "wrong": 0.9 - right, "truncated": 0.05, "malformed": 0.05, "failure": 0.0}
        spec = EvalSpec("scripted", "countdown", limit=40, engine="scripted", engine_options=rates)
        evaluate(prepare(spec), tmp_path / name, lambda done: None)
    done = run(tmp_path / "weak", tmp_path / "strong", "--flips", "1", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    (one,) = told["comparisons"]
    assert (one["a"], one["b"], told["n"], told["notes"]) == ("weak", "strong", 40, [])
    assert one["strict"]["difference"] > 0
    gained = one["flips"][0]
    assert (gained["flip"], gained["b"]["grade"]) == ("gained", "correct")
    assert gained["a"]["grade"] != "correct"
    assert "answer tags" in gained["prompt"]


def test_command_says_which_interval_is_over_what(make_eval: Make, tmp_path: Path) -> None:
    for name in "ab":
        for seed in (1, 2):
            make_eval(f"{name}-s{seed}", ("+-" * 10)[seed:] + ("-" if name == "a" else "+") * seed)
    runs = [",".join(str(tmp_path / f"{name}-s{seed}") for seed in (1, 2)) for name in "ab"]
    done = run(*runs)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert "20 items, paired" in lines[0]
    assert any(line.startswith("b - a") for line in lines)
    assert "over items" in done.stdout
    assert "over runs" in done.stdout
    assert "runs lie" in done.stdout
    assert all(len(line) <= 120 for line in lines)
    named = run("--group", f"first={runs[0]}", "--group", f"second={runs[1]}")
    assert "second - first" in named.stdout


@pytest.mark.parametrize(
    ("folders", "name"),
    [
        (["evals/wrong-countdown"], "wrong-countdown"),
        (["wrong-s1", "wrong-s2"], "wrong"),
        (["wrong-seed1-countdown", "wrong-seed2-countdown"], "wrong-countdown"),
        (["smollm2-135m-1", "smollm2-135m-2"], "smollm2-135m"),
        (["one", "two"], "one,two"),
    ],
)
def test_runs_are_named_without_their_number(folders: list[str], name: str) -> None:
    assert list(groups_of([",".join(folders)], [])) == [name]


def test_a_models_text_does_not_reach_the_terminal_raw(make_eval: Make) -> None:
    a, b = make_eval("a", "-" * 10), make_eval("b", "+" * 10)
    rows = pq.read_table(b / "items.parquet").to_pylist()
    for row in rows:
        row["completion"] = "\x1b[2Jgone\ttab"
    pq.write_table(pa.Table.from_pylist(rows), b / "items.parquet")
    shown = run(a, b, "--flips", "1").stdout
    assert "\x1b" not in shown
    assert "[2Jgone\ttab" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["A"], "a comparison needs two evals or more"),
        (["A", "A"], "A is given twice"),
        (["A", "nowhere"], "nowhere holds no eval"),
        (["A", "--group", "B"], "--group B: no name"),
        (["A", "B", "--plot", "plot.bmp"], "the plot plot.bmp must end in one of"),
        (["A", "B", "--plot", "nowhere/plot.png"], "there is no folder nowhere"),
        (["A", "B", "--allow", "task"], "invalid value for '--allow'"),
    ],
)
def test_bad_use_is_one_line_and_exit_code_2(arguments: list[str], message: str, make_eval: Make) -> None:
    folders = {"A": make_eval("a", "+-" * 10), "B": make_eval("b", "-+" * 10)}
    done = run(
        *[
            folders.get(one, one) if arguments[max(0, place - 1)] != "--group" else one
            for place, one in enumerate(arguments)
        ]
    )
    assert done.exit_code == 2
    assert message.replace("A is", f"{folders['A']} is") in done.stderr.splitlines()[0]


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_plot_is_drawn_in_grey_and_the_same_each_time(suffix: str, make_eval: Make, tmp_path: Path) -> None:
    a = [make_eval("a1", "+-" * 10), make_eval("a2", "+--" * 6 + "--")]
    b = [make_eval("b1", "++" * 10), make_eval("b2", "++-" * 6 + "--")]
    flags = ["--group", f"a={a[0]},{a[1]}", "--group", f"b={b[0]},{b[1]}", "--json", "--plot"]
    told = json.loads(run(*flags, tmp_path / f"one.{suffix}").stdout)
    assert told["plot"].endswith(f"one.{suffix}")
    run(*flags, tmp_path / f"other.{suffix}")
    drawn = (tmp_path / f"one.{suffix}").read_bytes()
    assert drawn == (tmp_path / f"other.{suffix}").read_bytes()
    if suffix == "png":
        from PIL import Image

        with Image.open(tmp_path / "one.png") as image:
            pixels = image.convert("RGB").getcolors(1 << 20)
        assert pixels
        assert all(max(colour) - min(colour) <= 2 for _, colour in pixels)  # type: ignore[arg-type,type-var]
