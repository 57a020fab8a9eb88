"""The commands, as a user starts them: exit codes, one line for bad input, one JSON document."""

import ast
import copy
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from certification.__main__ import ROOT
from certification.artefacts import collect
from certification.collectors import judge
from certification.evidence import canonical, evidence
from certification.page import page
from certification.shapes import BadInput
from dolphin.commands.certify import newest_run
from tests.certification import a_run

ENVIRONMENT = {name: text for name, text in os.environ.items() if name != "TLA2TOOLS_JAR"}
OURS = ("kernel", "traces", "dolphin", "verify")


def certify(run: Path, *words: str, root: Path | None = None) -> subprocess.CompletedProcess[str]:
    project = ["--root", str(root or run.parent.parent)]
    return subprocess.run(
        [sys.executable, "-m", "certification", str(run), *words, *project],
        capture_output=True, text=True, check=False, cwd=ROOT, env=ENVIRONMENT, timeout=60,
    )  # fmt: skip


def test_exit_codes_and_the_one_document(run: Path) -> None:
    done = certify(run, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["session"], said["package"], said["ok"]) == ("PASS", "PASS", True)
    (run / "verify.json").unlink()
    done = certify(run, "--json")
    assert done.returncode == 3, done.stderr
    said = json.loads(done.stdout)
    assert (said["session"], said["package"], said["ok"]) == ("PASS", "INCOMPLETE", False)
    assert Path(said["report"]).is_file()
    assert Path(said["evidence"]).is_file()
    assert not list(run.glob("*.draft"))
    done = certify(run, "--json", "--session-verdict")
    assert done.returncode == 0
    assert json.loads(done.stdout)["ok"] is True
    (run / "audit.json").unlink()
    done = certify(run, "--session-verdict")
    assert done.returncode == 3, "not run is no failure, and no pass"
    assert "Session  INCOMPLETE" in done.stdout
    assert "AUD-CONFORMANT" in done.stdout
    (run / "journal.bin").unlink()
    assert certify(run).returncode == 1


def test_a_second_report_does_not_read_the_first(run: Path) -> None:
    certify(run)
    first = (run / "evidence.json").read_bytes()
    certify(run)
    assert (run / "evidence.json").read_bytes() == first


def test_an_older_report_that_says_something_else_is_kept_and_said(run: Path) -> None:
    done = certify(run)
    assert "older report" not in done.stderr
    first = {name: (run / name).read_bytes() for name in ("report.html", "evidence.json")}
    again = certify(run)
    assert "older report" not in again.stderr
    assert sorted(path.name for path in run.glob("report*")) == ["report.html"]
    (run / "verify.json").unlink()
    for number in (1, 2):
        done = certify(run)
        kept = run / f"report-{number}.html"
        assert "an older report says something else; kept as report-" in done.stderr
        assert kept.name in done.stderr
        assert (run / f"evidence-{number}.json").exists()
        if number == 1:
            assert kept.read_bytes() == first["report.html"]
            assert (run / "evidence-1.json").read_bytes() == first["evidence.json"]
        (run / f"extra-{number}.log").write_text("x", "utf-8")
    names = [row["name"] for row in a_run.read_json(run / "evidence.json")["files"]]
    assert not [name for name in names if "report" in name or "evidence" in name]


BAD = (
    ("session.json", b"{", "session.json:1: not JSON"),
    ("session.json", b"\xff\xfe", "not UTF-8"),
    ("session.json", b"[]", "the document: expected `object`, got `array`"),
    ("session.json", b'{"id": NaN}', "not JSON"),
    ("session.json", b'{"id": "\\ud800"}', "not JSON"),
    ("session.json", b"[" * 100_000, "not JSON"),
    ("session.json", b"{}", "field 'id' is missing"),
    ("session.json", b'{"id": "a", "verdict": "GOOD", "shown": []}', "expected PASS or FAIL"),
    ("session.json", b'{"id": "a", "verdict": "PASS", "shown": [{"name": "x"}]}', "shown[0].ok"),
    ("audit.json", b'{"ok": 1}', "field 'ok': expected `bool`, got `int`"),
    ("check.json", b'{"ok": true}', "field 'models' is missing"),
    ("verify.json", b'{"ok": true, "lane": "full", "whole": true}', "field 'items' is missing"),
    ("junit.xml", b"<testsuites>", "not JUnit XML"),
    ("junit.xml", b"<html/>", "expected <testsuites>"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "data", "said"), BAD, ids=[f"{n}-{d[:12]!r}" for n, d, _ in BAD])
def test_bad_input_is_one_line_and_nothing_written(
    run: Path, name: str, data: bytes, said: str
) -> None:
    (run / name).write_bytes(data)
    done = certify(run)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert name in done.stderr
    assert said in done.stderr
    assert done.stdout == ""
    assert not (run / "report.html").exists()
    assert not (run / "evidence.json").exists()


def test_bars_that_are_not_bars_are_bad_input(run: Path) -> None:
    def recorded_as_is() -> None:
        session = a_run.read_json(run / "session.json")
        session["artefacts"]["bars.parquet"] = a_run.sha256(run / "bars.parquet")
        a_run.write_json(run / "session.json", session)

    frame = a_run.bars(20)
    for spoilt, said in (
        (frame.drop("equity"), "column 'equity' is missing"),
        (frame.with_columns(posture=None), "column 'posture' has gaps"),
        (frame.with_columns(equity=frame["equity"].cast(str)), "expected numbers"),
        (frame.clear(), "holds no row"),
    ):
        spoilt.write_parquet(run / "bars.parquet")
        recorded_as_is()
        with pytest.raises(BadInput, match=r"bars\.parquet") as caught:
            collect(run, run.parent.parent, {})
        assert said in str(caught.value)
    (run / "bars.parquet").write_bytes(b"PAR1")
    recorded_as_is()
    with pytest.raises(BadInput, match="not Parquet"):
        collect(run, run.parent.parent, {})


def test_a_folder_or_file_that_is_not_there(run: Path, tmp_path: Path) -> None:
    for words in (["--check", "none.json"], ["--junit", "none.xml"]):
        done = certify(run, *words)
        assert done.returncode == 2
        assert words[1] in done.stderr
    done = certify(tmp_path / "nowhere", root=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


SAMPLED = 100  # of some hundreds for each file


def spoilt(document: Any) -> Iterator[Any]:
    """Yield the document with each place in turn replaced by a value of another kind."""
    values = (None, 7, -1, "x", "", [], {}, True, [3], {"a": 3}, 1.5)
    paths: list[list[Any]] = [[]]
    while paths:
        path = paths.pop()
        inner = document
        for place in path:
            inner = inner[place]
        if isinstance(inner, dict):
            paths += [[*path, key] for key in list(inner)]
        elif isinstance(inner, list):
            paths += [[*path, number] for number in range(min(1, len(inner)))]
        if not path:
            continue
        for value in values:
            other = copy.deepcopy(document)
            target = other
            for place in path[:-1]:
                target = target[place]
            target[path[-1]] = value
            yield other


@pytest.mark.campaign
@pytest.mark.parametrize("name", ["session.json", "audit.json", "check.json"])
def test_no_shape_of_a_file_is_a_traceback(
    tmp_path: Path, name: str, whole: bool, rng: random.Random
) -> None:
    run = a_run.write_project(tmp_path)
    a_run.bars(4).write_parquet(run / "bars.parquet")
    a_run.write_json(run / "session.json", a_run.session(run))
    refused = judged = 0
    documents = list(spoilt(a_run.read_json(run / name)))
    assert len(documents) > SAMPLED
    for document in documents if whole else rng.sample(documents, SAMPLED):
        a_run.write_json(run / name, document)
        said = ""
        try:
            inputs = collect(run, tmp_path, {})
        except BadInput as error:
            said = str(error)
        if said:
            assert "\n" not in said
            assert name in said
            refused += 1
            continue
        claims = judge(inputs)
        page(inputs, claims)
        canonical(evidence(inputs, claims))
        judged += 1
    assert refused > 5
    assert judged > 5


def test_the_click_command_starts_it(run: Path) -> None:
    start = "from dolphin.commands.certify import command; command()"

    def dolphin(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", start, *words], capture_output=True, text=True, check=False,
            cwd=cwd, env={**ENVIRONMENT, "PYTHONPATH": str(ROOT)}, timeout=60,
        )  # fmt: skip

    project = run.parent.parent
    for words in ((str(run),), (run.name,), ()):
        done = dolphin(*words, "--session-verdict", "--json", cwd=project)
        assert ("the newest run" in done.stderr) == (not words)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["session"] == "PASS"
    done = dolphin("no-such-run", cwd=project)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert dolphin(cwd=project / "docs").returncode == 2


def test_without_a_run_the_one_that_started_last_is_taken_as_it_says_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def put(name: str, text: str) -> Path:
        path = tmp_path / name / "session.json"
        path.parent.mkdir()
        path.write_text(text, "utf-8")
        return path.parent

    assert newest_run(tmp_path) is None
    first = put("z", '{"started": "2026-11-21T07:00:00Z"}')
    last = put("b", '{"started": "2026-11-21T09:30:00+01:00"}')
    put("c", '{"started": "2026-11-21T07:59:59"}')
    # A copy of an old run is written last, and is not the newest.
    os.utime(first / "session.json", (1_900_000_000, 1_900_000_000))
    (tmp_path / "current").symlink_to("z")
    assert newest_run(tmp_path) == last
    assert capsys.readouterr().err == ""
    assert newest_run(tmp_path) == last
    other = put("d", '{"started": "2026-11-21T08:30:00Z"}')
    assert newest_run(tmp_path) == other, "of two that started at once, by name"


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "{}", '{"started": 7}', '{"started": "soon"}', "[" * 100_000, "\ud800"]
)
def test_a_run_that_does_not_say_when_it_started_is_named_and_left_out(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in (("a", '{"started": "2026-11-21T07:00:00Z"}'), ("b", text)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "session.json").write_text(content, "utf-8", "surrogatepass")
    assert newest_run(tmp_path) == tmp_path / "a"
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"dolphin certify: {tmp_path / 'b' / 'session.json'}: does not say when")


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_it_imports_nothing_of_ours_and_nothing_imports_it() -> None:
    own = list((ROOT / "certification").rglob("*.py"))
    assert len(own) >= 8
    for path in own:
        assert not imports(path) & set(OURS), path
    others = [path for folder in OURS for path in (ROOT / folder).rglob("*.py")]
    assert others
    for path in others:
        assert "certification" not in imports(path), path
