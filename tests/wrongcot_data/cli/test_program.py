"""The program as a whole: quick, short with errors, and readable by scripts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from wrongcot_data import plugins
from wrongcot_data.cli import VERBS
from wrongcot_data.cli.build import build
from wrongcot_data.cli.console import harmless
from wrongcot_data.plan import DEFAULT_ENGINE
from wrongcot_data.spec import BuildSpec, SamplingSpec

HEAVY = (
    "torch",
    "transformers",
    "datasets",
    "vllm",
    "pydantic",
    "pyarrow",
    "rich",
    "yaml",
    "jinja2",
    "aiohttp",
    "matplotlib",
)

BUILD = ("build", "countdown", "--teacher", "scripted", "--dry-run")

NO_FAULTS = ("truncated=0", "malformed=0", "failure=0")


@pytest.mark.parametrize("verb", [(), *((verb,) for verb in VERBS)], ids=lambda verb: " ".join(verb) or "program")
def test_help_imports_nothing_heavy(verb: tuple[str, ...]):
    code = (
        "import sys\nfrom wrongcot_data.cli import main\n"
        f"try:\n    main([*{verb!r}, '--help'], prog_name='wrongcot-data')\n"
        f"except SystemExit:\n    print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "Usage: wrongcot-data" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("biuld",), "unknown command 'biuld': did you mean build?"),
        (("journal", "recovr"), "no such command 'recovr'. Did you mean 'recover'?"),
        (("build", "cuntdown"), "unknown task 'cuntdown': did you mean countdown?"),
        (("build", "countdown", "--teacher", "gema-9b"), "unknown teacher 'gema-9b': did you mean gemma-9b?"),
        (("build", "countdown", "--teacher", ""), "unknown teacher ''"),
        ((*BUILD, "--variant", "wrogn"), "unknown variant 'wrogn': did you mean wrong?"),
        ((*BUILD, "--split", "tran"), "unknown split 'tran': did you mean train?"),
        ((*BUILD, "--prompt", "chat-zreo"), "unknown prompt 'chat-zreo': did you mean chat-zero?"),
        (("build", "countdown", "--engine", "transformer"), "unknown engine 'transformer': did you mean transformers?"),
        ((*BUILD, "--engine", "transformers"), "teacher scripted runs on the engine scripted only"),
        ((*BUILD, "--source", "x.jsonl"), "countdown makes its own problems; drop --source"),
        ((*BUILD, "--max-tokens-total", "255"), "max_tokens_total 255 is too small for one reply"),
        ((*BUILD, "--max-minutes", "inf"), "max_minutes: input should be a finite number"),
        (
            (*BUILD, "--engine-option", "latency=5"),
            "unknown config key 'engine_options.latency': did you mean engine_options.latency_ms?",
        ),
        ((*BUILD, "--engine-option", "latency_ms"), "--engine-option takes NAME=VALUE, not 'latency_ms'"),
        ((*BUILD, "--engine-option", "latency_ms=["), "is no YAML value"),
        ((*BUILD, "--engine-option", "latency_ms=2020-13-45"), "is no YAML value"),
        ((*BUILD, "--engine-option", "right=0.9"), "must add up to 1"),
        ((*BUILD, "--limit", "0"), "limit: input should be greater than or equal to 1 (got 0)"),
        ((*BUILD, "--limit", "many"), "invalid value for '--limit'"),
        ((*BUILD, "--per-problem", "-1"), "per_problem: input should be greater"),
        ((*BUILD, "--temperature", "nan"), "sampling.temperature: input should be"),
        (("build", "--teacher", "scripted"), "which task?"),
        ((*BUILD, "--limt", "3"), "no such option '--limt'"),
        (("grade", "countdown"), "missing argument 'FILE'"),
        (("show", "here", "-n", "0"), "invalid value for '-n'"),
        (("journal", "recover", "none.sqlite"), "there is no file none.sqlite"),
    ],
    ids=lambda part: part if isinstance(part, str) else " ".join(part),
)
def test_a_wrong_word_is_one_line_with_the_nearest_right_one(run, command: tuple[str, ...], message: str):
    result = run(*command, code=2)
    assert result.stdout == ""
    first, *hints = result.stderr.splitlines()
    assert first.startswith("wrongcot-data: ")
    assert message in first
    assert all(hint.startswith(("  try:  ", "        ")) for hint in hints)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("limt: 3", "unknown config key 'limt': did you mean limit?"),
        ("sampling: {temprature: 1}", "unknown config key 'sampling.temprature': did you mean sampling.temperature?"),
        ("problems: {min_nmbers: 3}", "unknown config key 'problems.min_nmbers'"),
        (
            "{teacher: scripted, engine_options: {capcity: 3}}",
            "unknown config key 'engine_options.capcity': did you mean",
        ),
        ("variants: wrong", "variants: "),
        ("variants: [wrong, 3]", "unknown variant '3'"),
        ("sampling: hot", "sampling: "),
        ("limit: [1]", "limit: "),
        ("limit: 0", "limit: "),
        ("teacher: 3", "teacher: "),
        ("teacher: null", "teacher: "),
        ("seed: 1.5", "seed: "),
        ("seed: 2020-13-45", "is no YAML"),
        ("task: [1", "is no YAML"),
        ("a: &a [*a]", "unknown config key 'a'"),
        ("problems: &p {numbers: *p}", "unknown config key 'problems.numbers'"),
        ("a: " + "[" * 5000, "is no YAML"),
        ("\x00", "is no YAML"),
        ("!!python/object:os.system x", "is no YAML"),
        ("- 1", "must hold `name: value` lines"),
    ],
    ids=lambda text: text[:30].encode("unicode_escape").decode(),
)
def test_a_wrong_config_file_is_one_line(tmp_path: Path, run, text: str, message: str):
    (tmp_path / "c.yaml").write_text(text)
    result = run("build", "countdown", "--dry-run", "--config", tmp_path / "c.yaml", code=2)
    assert message in result.stderr.splitlines()[0]
    assert len(result.stderr.splitlines()) == 1
    assert len(result.stderr) < 400


@pytest.mark.parametrize("text", ["limt: 3", "sampling: {temprature: 1}", "max_tokens: 3"])
def test_a_wrong_key_is_named_though_the_task_is_missing_too(tmp_path: Path, run, text: str):
    (tmp_path / "c.yaml").write_text(text)
    error = run("build", "--config", tmp_path / "c.yaml", code=2).stderr
    assert "unknown config key" in error
    assert "which task?" not in error


@pytest.mark.parametrize(
    ("flags", "hint"),
    [
        (["--engine", "ray", "--engine-option", "engine=transformers"], "  try:  --engine-option engine=scripted"),
        (["--base-url", "http://localhost:1"], "  try:  --engine scripted    (and no --base-url)"),
        (["--engine", "transformers"], "  try:  --engine scripted"),
        (["--config", "nowhere.yaml"], "  try:  --config FILE    (YAML; docs/build.md has an example)"),
        (["--max-tokens-total", "9"], "  try:  --max-tokens-total N    (at least 256)"),
    ],
    ids=lambda part: part if isinstance(part, str) else " ".join(part),
)
def test_what_does_not_go_together_comes_with_what_does(run, flags: list[str], hint: str):
    assert hint in run(*BUILD, *flags, code=2).stderr.splitlines()


def test_help_names_the_engines_and_the_defaults_that_the_spec_has(run):
    text = " ".join(run("build", "--help").stdout.split())
    assert all(name in text.split("--engine TEXT")[1].split("--engine-option")[0] for name in plugins.names("engine"))
    assert f"else {DEFAULT_ENGINE}]" in text
    fields = {**BuildSpec.model_fields, **SamplingSpec.model_fields}
    for option in build.params:
        told = re.search(r"\[default: (.+)\]", getattr(option, "help", None) or "")
        default = fields[option.name].default if option.name in fields else None
        if option.name in ("engine", "source", "out", "journal"):
            continue
        if isinstance(default, str | int | float) and default != "":
            assert told, option.name
            assert told[1] == str(default), option.name
        else:
            assert not told, option.name


def test_flags_win_over_the_config_file_also_inside_a_group(tmp_path: Path, run):
    (tmp_path / "c.yaml").write_text(
        "task: countdown\nteacher: scripted\nlimit: 9\nsampling: {top_p: 0.5, max_tokens: 7}"
    )
    command = ["build", "--config", tmp_path / "c.yaml", "--limit", 4, "--max-tokens", 9, "--dry-run", "--json"]
    spec = json.loads(run(*command).stdout)["spec"]
    assert (spec["limit"], spec["sampling"]["top_p"], spec["sampling"]["max_tokens"]) == (4, 0.5, 9)


def test_a_teacher_too_large_for_this_machine_fails_at_once_and_names_another(tmp_path: Path, run, monkeypatch):
    monkeypatch.setattr("wrongcot_data.teachers.availability.find_gpus", list)
    out = tmp_path / "d"
    result = run("build", "countdown", "--teacher", "gemma-9b", "--out", out, code=3)
    errors = result.stderr.splitlines()
    assert "wrongcot-data: teacher gemma-9b needs about 22 GB of GPU memory; none found here" in errors
    assert "  try:  --teacher smollm2-135m    (runs on this machine)" in errors
    assert not out.exists()


def test_a_missing_extra_is_said_with_the_line_that_installs_it(tmp_path: Path, run, monkeypatch):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run("build", "countdown", "--teacher", tmp_path / "model", "--out", tmp_path / "d", "--limit", 2, code=3)
    assert "torch is not installed" in result.stderr
    assert "  try:  pip install 'wrongcot[local]'" in result.stderr.splitlines()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("build", "cuntdown"), 2),
        (("biuld",), 2),
        (("show", "nowhere"), 2),
        (("build", "countdown", "--limit", "x"), 2),
    ],
    ids=lambda part: part if isinstance(part, int) else " ".join(part),
)
def test_with_json_an_error_is_an_object_on_stdout_too(run, command: tuple[str, ...], code: int):
    result = run(*command, "--json", code=code)
    said = json.loads(result.stdout)
    assert said.keys() == {"error", "try"}
    assert f"wrongcot-data: {said['error']}" == result.stderr.splitlines()[0]
    assert isinstance(said["try"], list)


@pytest.mark.parametrize("verb", ["tasks", "teachers", "doctor"])
def test_listings_are_text_for_people_and_one_object_for_scripts(run, verb: str):
    assert isinstance(json.loads(run(verb, "--json").stdout), dict)
    text = run(verb).stdout
    assert "countdown" in text if verb == "tasks" else "smollm2-135m" in text


def test_doctor_says_what_does_not_work_and_how_to_mend_it(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "gguf", None)
    monkeypatch.setattr("wrongcot_data.teachers.availability.find_gpus", list)
    checks = {check["what"]: check for check in json.loads(run("doctor", "--json").stdout)["checks"]}
    assert not checks["extra local"]["works"]
    assert checks["extra local"]["note"] == "gguf missing; pip install 'wrongcot[local]'"
    assert not checks["teacher gemma-27b"]["works"]
    assert checks["teacher scripted"]["works"]


def test_show_prints_the_rows_asked_for(built: Path, run, rows):
    shown = json.loads(run("show", built, "--variant", "wrong", "-n", 2, "--skip", 3, "--json").stdout)
    stored = rows(built, "wrong")
    assert shown["rows"] == stored[3:5]
    assert shown["total"] == len(stored)
    text = run("show", built, "-n", 1).stdout
    assert stored[0]["prompt"][0]["content"] in text
    assert all(step["text"] in text for step in stored[0]["steps"])


def test_show_says_what_a_false_equation_claims_and_what_is_right(built: Path, run, rows):
    text = run("show", built, "--variant", "wrong", "-n", 200).stdout
    kinds = [step["kind"] for row in rows(built, "wrong") for step in row["steps"]]
    assert kinds.count("false equation") > 0
    assert text.count("[false equation: ") == kinds.count("false equation")
    claims = re.findall(r"([^\n]*)\[false equation: ([0-9]+) should be ([0-9]+)\]", text)
    assert claims
    assert all(f"= {claimed}" in step and claimed != right for step, claimed, right in claims)


def test_show_of_one_grade_leaves_out_all_others(built: Path, run, rows):
    stored = [row for row in rows(built, "samples") if row["grade"] == "truncated"]
    assert 0 < len(stored) < len(rows(built, "samples"))
    shown = run("show", built, "--variant", "samples", "--grade", "truncated", "-n", 1000, "--json").stdout
    assert json.loads(shown)["rows"] == stored
    assert (
        f"{len(stored)} of grade truncated, of"
        in run("show", built, "--variant", "samples", "--grade", "truncated", "-n", 1000).stdout
    )
    assert "did you mean disputed?" in run("show", built, "--grade", "disputd", code=2).stderr


def test_show_of_the_pool_prints_replies_as_they_came(built: Path, run, rows):
    assert rows(built, "samples")[0]["completion"] in run("show", built, "--variant", "samples", "-n", 1).stdout


def test_show_of_a_data_set_whose_default_is_empty_shows_the_first_with_rows_and_says_so(tmp_path: Path, run, scripted):
    rates = [word for rate in ("right=1", "wrong=0", *NO_FAULTS) for word in ("--engine-option", rate)]
    scripted(tmp_path / "d", "--limit", 3, "--variant", "wrong", "--variant", "right", *rates)
    shown = run("show", tmp_path / "d", "--json")
    assert json.loads(shown.stdout)["variant"] == "right"
    assert "wrong has no rows; showing right" in shown.stderr
    assert json.loads(run("show", tmp_path / "d", "--variant", "wrong", "--json").stdout)["rows"] == []


def test_show_past_the_end_shows_none(built: Path, run):
    assert json.loads(run("show", built, "--skip", 10_000, "--json").stdout)["rows"] == []


def test_show_of_what_is_not_there_is_one_line(built: Path, tmp_path: Path, run):
    assert "unknown variant 'wrogn': did you mean wrong?" in run("show", built, "--variant", "wrogn", code=2).stderr
    assert "it is not a data set of ours" in run("show", tmp_path, code=2).stderr
    (tmp_path / "pool").mkdir()
    assert "its build has not finished" in run("show", tmp_path, code=2).stderr


def test_a_reader_that_goes_away_ends_the_program_quietly(built: Path):
    command = f"'{sys.executable}' -m wrongcot_data show '{built}' --variant samples -n 1000; echo $? >&2"
    done = subprocess.run(
        ["bash", "-c", f"({command}) | head -1"], capture_output=True, text=True, check=True, env=os.environ
    )
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr.strip() in {"0", "1"}


def test_a_build_that_finds_no_model_leaves_its_folder_to_others(tmp_path: Path, run, scripted):
    (tmp_path / "empty").mkdir()
    run("build", "countdown", "--teacher", tmp_path / "empty", "--out", tmp_path / "d", "--limit", 2, code=2)
    assert not (tmp_path / "d").exists()
    scripted(tmp_path / "d", "--limit", 2)


def test_a_config_folder_that_is_a_link_is_replaced_and_what_it_points_to_left(tmp_path: Path, run, scripted):
    out = tmp_path / "d"
    scripted(out, "--limit", 5)
    (out / "wrong").rename(tmp_path / "elsewhere")
    (out / "wrong").symlink_to(tmp_path / "elsewhere")
    scripted(out, "--limit", 6)
    assert not (out / "wrong").is_symlink()
    assert list((tmp_path / "elsewhere").iterdir())
    run("verify", out)


def test_a_damaged_note_of_whose_folder_it_is_does_not_lock_the_build_out(tmp_path: Path, run, scripted):
    out = tmp_path / "d"
    scripted(out, "--limit", 5)
    (out / "pool" / "build.json").write_text("torn")
    scripted(out, "--limit", 5)
    (out / "pool" / "build.json").unlink()
    run("build", "countdown", "--teacher", "scripted", "--out", out, "--limit", 5, "--seed", 1, code=2)


@pytest.mark.parametrize("content", [b"the only copy of my thesis" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_recovery_leaves_a_file_alone_of_which_it_can_read_nothing(tmp_path: Path, run, content: bytes):
    file = tmp_path / "file"
    file.write_bytes(content)
    assert "no sample can be read" in run("journal", "recover", file, code=1).stderr
    assert file.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("key", ["spec", "files", "rows", "receipt", "content", "spec_hash"])
@pytest.mark.parametrize("value", [None, 3, "x", [1], {"a": {"b": []}}, [{"path": "../x", "bytes": 1, "sha256": ""}]])
def test_a_manifest_of_another_shape_is_one_line_for_show_and_verify(
    built: Path, tmp_path: Path, run, key: str, value: object
):
    manifest = json.loads((built / "wrongcot.json").read_text())
    (tmp_path / "wrongcot.json").write_text(json.dumps({**manifest, key: value}))
    if (key, value) == ("spec_hash", "x"):
        return
    for verb in ("show", "verify"):
        assert "cannot be read" in run(verb, tmp_path, code=2).stderr.splitlines()[0]


def test_no_text_of_a_stranger_commands_the_terminal():
    assert harmless("a\x1b]0;pwned\x07b\x1b[2J\x9b2J\rc") == "a�]0;pwned�b�[2J�2J�c"
    assert harmless("a\r\n\tb") == "a\r\n\tb"
    assert harmless("\x1b[31mred\x1b[0m") == "\x1b[31mred\x1b[0m"
