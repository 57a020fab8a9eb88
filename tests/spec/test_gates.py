"""Each gate of `dolphin check` on a small sample: what it must accept, and what it must reject.

The sample (``sample/Lamp.tla``) is copied to a folder of its own and changed by one thing; the real
command then runs the real TLC on it. A gate that cannot fail would pass here, so every test asserts
the exit code and the sentence.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from dolphin.commands.check import command
from traces.audit.tlatools import JAR_SHA256, jar_path
from verify.models.manifest import ManifestError, introduce, load_manifest, only_check, read_cfg
from verify.models.tlc import run_tlc

SAMPLE = Path(__file__).parent / "sample"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sample, pinned."""
    place = tmp_path / "tla"
    shutil.copytree(SAMPLE, place)
    result = run(place, "--update")
    assert result.exit_code == 0, result.output
    return place


def run(folder: Path, *arguments: str):
    return CliRunner().invoke(command, ["--folder", str(folder), *arguments])


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def rejected(folder: Path, *sentences: str, code: int = 1) -> None:
    """Run the sample as it is now; it ends with this code and says each sentence.

    What is bad input (code 2) is said on standard error.
    """
    result = run(folder)
    assert result.exit_code == code, result.output
    for sentence in sentences:
        assert sentence in (result.stderr if code == 2 else result.output)


def edit_row(folder: Path, name: str, **fields: object) -> None:
    path = folder / "manifest.json"
    data = json.loads(path.read_text())
    (row,) = [row for row in data["models"] if row["name"] == name]
    row.update(fields)
    path.write_text(json.dumps(data))


def test_the_pinned_sample_holds(folder: Path) -> None:
    result = run(folder, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["ok"] is True
    assert document["negative_controls"] == {"total": 1, "failed_as_expected": 1}
    lamp = next(model for model in document["models"] if model["name"] == "Lamp")
    wanted = {"name", "mode", "expected", "result", "distinct", "generated", "diameter", "seconds"}
    assert wanted <= lamp.keys()
    assert (lamp["mode"], lamp["expected"], lamp["result"]) == ("safety", "success", "success")
    assert (lamp["distinct"], lamp["generated"], lamp["diameter"]) == (7, 8, 6)
    assert lamp["cached"] is True


def test_no_cache_runs_again_and_finds_the_same(folder: Path) -> None:
    first = json.loads(run(folder, "--json", "Lamp").stdout)["models"][0]
    again = json.loads(run(folder, "--json", "--no-cache", "Lamp").stdout)["models"][0]
    assert not again["cached"]
    for name in ("result", "distinct", "generated", "diameter"):
        assert first[name] == again[name]


@pytest.mark.parametrize("name", ["distinct", "generated", "diameter"])
def test_a_changed_count_fails(folder: Path, name: str) -> None:
    edit_row(folder, "Lamp", **{name: 77})
    rejected(folder, f"{name} changed: pinned 77")


def test_a_changed_configuration_fails(folder: Path) -> None:
    replace(folder / "Lamp.cfg", "CHECK_DEADLOCK FALSE", "CHECK_DEADLOCK FALSE\n\\* a comment")
    rejected(folder, "Lamp.cfg: changed since it was pinned")


def test_a_shrunken_constant_fails(folder: Path) -> None:
    replace(folder / "Lamp.cfg", "Max = 2", "Max = 1")
    rejected(folder, "distinct changed: pinned 7")


def test_an_unregistered_configuration_fails(folder: Path) -> None:
    shutil.copy(folder / "Lamp.cfg", folder / "LampMore.cfg")
    rejected(folder, "LampMore.cfg: not registered in manifest.json")


def test_a_missing_configuration_fails(folder: Path) -> None:
    (folder / "Lamp.cfg").unlink()
    rejected(folder, "Lamp.cfg: registered as Lamp, but there is no")


def test_a_control_without_a_row_and_a_row_without_a_control_fail(folder: Path) -> None:
    replace(folder / "controls.toml", "BadLampLimit =", "BadLampBound =")
    rejected(
        folder,
        "controls.toml: BadLampBound is not registered in manifest.json",
        "BadLampLimit: registered as a control, but controls.toml has no such",
    )


def test_an_action_that_never_fires_fails(folder: Path) -> None:
    replace(folder / "Lamp.tla", "Reset == lit /\\ count = Max", "Reset == lit /\\ count = 99")
    assert run(folder, "--update").exit_code == 1
    rejected(folder, "never fires: Lamp!Reset")


def test_a_deleted_action_fails(folder: Path) -> None:
    replace(folder / "Lamp.tla", "Release \\/ Reset", "Release")
    rejected(folder, "actions gone from Next: Lamp!Reset")


def test_a_control_that_passes_fails(folder: Path) -> None:
    replace(folder / "controls.toml", "new = 'TRUE'", "new = 'count + 1 <= Max'")
    rejected(
        folder,
        "negative control passed: CountBounded was not violated",
        "0 of 1 controls failed as expected",
    )


def test_a_control_that_fails_otherwise_fails(folder: Path) -> None:
    replace(folder / "controls.toml", "new = 'TRUE'", "new = 'count < \"one\"'")
    rejected(folder, "failed with error, not with CountBounded")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("old = 'count < Max'", "old = 'count < 7'", "its old text is not there, expected exactly"),
        ("old = 'count < Max'", "old = 'count'", "its old text is there 4 times"),
        ("old = 'count < Max'", "old = ''", "its old text is empty"),
        ("new = 'TRUE'", "new = 'TRUE)'", "edit limit: what it makes of Lamp cannot"),
        ("Lamp!Press", "Lamp!Pull", "edit limit: Lamp!Pull: there is no such definition"),
        ("Lamp!Press", "Other!Press", "edit limit is of Other, which Lamp does not build on"),
        ('"CountBounded"', '"CountNeverFalls"', "which Lamp.cfg does not check"),
        ('of = "Lamp"', 'of = "Lampe"', "'of' names Lampe, which is no model"),
    ],
)
def test_a_control_that_does_not_fit_its_model_is_named(
    folder: Path, old: str, new: str, sentence: str
) -> None:
    replace(folder / "controls.toml", old, new)
    rejected(folder, "BadLampLimit", sentence)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("[edits]", "[edits", "not TOML"),
        ("[controls]", "[control]", "unknown table [control]"),
        ('edits = ["limit"]', 'edits = ["limits"]', "control BadLampLimit: there is no edit"),
        ('edits = ["limit"]', "edits = []", "control BadLampLimit: 'edits' is []"),
        ("violates", "breaks", "control BadLampLimit: expected the fields of, violates, why"),
        ("at = ", "in = ", "edit limit, place 1: expected the fields at, old, new"),
        ("Lamp!Press", "Press", "edit limit: 'at' is 'Press', expected Module!Definition"),
        ("[controls]", "spare = [{ at = 'Lamp!Init', old = 'lit', new = '' }]\n[controls]",
         "edit spare: no control uses it"),
    ],
)  # fmt: skip
def test_an_unreadable_table_of_controls_is_bad_input(
    folder: Path, old: str, new: str, sentence: str
) -> None:
    replace(folder / "controls.toml", old, new)
    rejected(folder, f"{folder / 'controls.toml'}: ", sentence, code=2)


def test_a_control_that_changed_since_it_was_pinned_fails(folder: Path) -> None:
    replace(folder / "controls.toml", "new = 'TRUE'", "new = 'count < Max + 1'")
    rejected(folder, "controls.toml: BadLampLimit changed since it was pinned")


def test_a_violated_model_is_printed_step_by_step_and_drawn(folder: Path) -> None:
    replace(folder / "Lamp.cfg", "PROPERTY CountRisesByOne", "PROPERTY CountNeverFalls")
    result = run(folder)
    assert result.exit_code == 1
    assert "expected success, found CountNeverFalls" in result.output
    assert "count: 2 → 0" in result.stderr
    assert "slots[1].quantity: 0 → 1" in result.stderr
    drawing = (folder / "runs" / "check" / "Lamp.svg").read_text()
    assert drawing.startswith("<svg")
    assert "Reset" in drawing


def test_a_model_is_drawn_or_says_why_not(folder: Path) -> None:
    place = folder / "pictures"
    result = run(folder, "Lamp", "BadLampLimit", "--svg", str(place))
    assert result.exit_code == 0, result.output
    graph = (place / "Lamp.svg").read_text()
    assert graph.count("<circle") == 7
    assert {"Press", "Release", "Reset"} <= set(graph.replace("<", " ").replace(">", " ").split())
    assert "count = 2" in graph
    assert "Press" in (place / "BadLampLimit.svg").read_text()
    assert {path.name for path in place.iterdir()} == {"Lamp.svg", "BadLampLimit.svg"}
    again = run(folder, "Lamp", "--svg", str(place))
    assert again.exit_code == 2
    assert f"{place / 'Lamp.svg'}: is there already and is not replaced" in again.stderr
    assert (place / "Lamp.svg").read_text() == graph


def test_without_a_model_the_counterexamples_are_drawn(folder: Path) -> None:
    place = folder / "pictures"
    assert run(folder, "--svg", str(place)).exit_code == 0
    assert {path.name for path in place.iterdir()} == {"posture-machine.svg", "BadLampLimit.svg"}


def test_a_model_that_is_too_large_is_not_drawn(folder: Path) -> None:
    replace(folder / "Lamp.cfg", "Max = 2", "Max = 60")
    assert run(folder, "--update").exit_code == 0
    result = run(folder, "Lamp", "--svg", str(folder / "pictures"))
    assert result.exit_code == 0
    assert "not drawn: Lamp: 123 states; a graph of over 120 is not drawn" in result.stderr
    assert not (folder / "pictures" / "Lamp.svg").exists()


def test_a_liveness_control_is_named_from_its_configuration(folder: Path) -> None:
    replace(folder / "Lamp.tla", "WF_vars(Press)", "WF_vars(Next)")
    text = (folder / "Lamp.cfg").read_text()
    live = "\\* mode: liveness\n" + text.replace("CountRisesByOne", "EndsLit")
    (folder / "LampLive.cfg").write_text(live)
    with (folder / "controls.toml").open("a") as table:
        table.write(
            'BadLampLive = { of = "LampLive", edits = ["idle"], violates = "EndsLit", why = "" }\n'
        )
    replace(
        folder / "controls.toml",
        "[controls]",
        "idle = [{ at = 'Lamp!Spec', old = '/\\ WF_vars(Next)', new = '' }]\n[controls]",
    )
    result = run(folder, "--update", "--json")
    assert result.exit_code == 0, result.output
    models = {model["name"]: model for model in json.loads(result.stdout)["models"]}
    assert models["LampLive"]["result"] == "success"
    assert models["BadLampLive"]["result"] == "EndsLit"
    assert models["BadLampLive"]["mode"] == "liveness"


def test_a_false_assumption_is_not_a_success(folder: Path) -> None:
    replace(folder / "Lamp.cfg", "Max = 2", "Max = 0")
    rejected(folder, "expected success, found")


def test_a_module_that_does_not_parse_is_not_a_success(folder: Path) -> None:
    replace(folder / "Lamp.tla", "Next == Press", "Next == Pres")
    rejected(folder, "expected success, found error", "failed with error, not with CountBounded")


def test_a_space_without_end_is_ended_by_its_processor_time(folder: Path) -> None:
    replace(folder / "Lamp.tla", "count < Max", "TRUE")
    run = run_tlc(folder / "Lamp.tla", without_checks(folder / "Lamp.cfg"), time_limit_s=4)
    assert run.result == "error"
    assert run.message == "ended after 4 s of processor time, its limit; the space may be infinite"


def without_checks(cfg: Path) -> Path:
    cfg.write_text("SPECIFICATION Spec\nCONSTANT Max = 2\nCHECK_DEADLOCK FALSE\n")
    return cfg


def test_update_does_not_pin_what_is_not_as_expected(folder: Path) -> None:
    before = (folder / "manifest.json").read_text()
    replace(folder / "controls.toml", "new = 'TRUE'", "new = 'count + 1 <= Max'")
    result = run(folder, "--update", "BadLampLimit")
    assert result.exit_code == 1
    assert "not pinned" in result.output
    assert json.loads(before) == json.loads((folder / "manifest.json").read_text())


def test_an_unknown_model_is_bad_input(folder: Path) -> None:
    result = run(folder, "Lampe")
    assert result.exit_code == 2
    assert "Lampe: no model of that name" in result.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "manifest.json:1: not JSON"),
        ("[]", "expected an object with a list 'models'"),
        ('{"models": [{}]}', "row 1: expected an object with a string 'name'"),
        ('{"models": [{"name": "A", "mode": 3}]}', "row 1 (A): field 'mode' is 3"),
        ('{"models": [{"name": "A", "colour": 3}]}', "row 1 (A): unknown field 'colour'"),
    ],
)
def test_an_unreadable_manifest_is_bad_input(folder: Path, text: str, sentence: str) -> None:
    (folder / "manifest.json").write_text(text)
    rejected(folder, sentence, code=2)
    with pytest.raises(ManifestError):
        load_manifest(folder)


def test_without_the_jar_nothing_is_claimed(folder: Path) -> None:
    program = "from dolphin.commands.check import command; command()"
    missing = str(folder / "absent.jar")
    result = subprocess.run(
        [sys.executable, "-c", program, "--folder", str(folder)],
        env={**os.environ, "TLA2TOOLS_JAR": missing},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 3
    assert f"{missing}: TLC's jar is not there" in result.stderr
    assert jar_path().is_file()


def test_a_jar_that_is_not_the_pinned_one_is_not_run(folder: Path) -> None:
    program = "from dolphin.commands.check import command; command()"
    other = folder / "other.jar"
    other.write_bytes(jar_path().read_bytes() + b"\0")
    result = subprocess.run(
        [sys.executable, "-c", program, "--folder", str(folder)],
        env={**os.environ, "TLA2TOOLS_JAR": str(other)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 3
    assert f"{other}: not the TLC that is pinned" in result.stderr
    assert f"expected {JAR_SHA256}" in result.stderr


def test_a_configuration_introduces_itself() -> None:
    row = introduce(SAMPLE / "Lamp.cfg")
    assert (row.module, row.mode, row.expected, row.of) == ("Lamp", "safety", "success", "")
    assert row.coverage
    read = read_cfg((SAMPLE / "Lamp.cfg").read_text())
    assert read.constants == {"Max": "2"}
    assert read.invariants == ("CountBounded",)


def test_a_control_checks_its_promise_alone() -> None:
    text = "SPECIFICATION Spec\nINVARIANTS\n    A\n    B\nCONSTANT X = 1\nPROPERTY C\nVIEW v\n"
    read = read_cfg(only_check(text, "PROPERTY", "C"))
    assert (read.invariants, read.properties) == ((), ("C",))
    assert read.constants == {"X": "1"}
    assert read.other == {"SPECIFICATION": "Spec", "VIEW": "v"}
