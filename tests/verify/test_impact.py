"""Impact: dependencies are read from the tree, and a removed reference is an edge less."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from click.testing import CliRunner, Result

import kernel
from dolphin.commands.impact import command
from kernel.constants import Posture, Profile
from tests.certification.requirements.a_project import put
from tests.kernel.sessions import fresh, holding, random_events, until
from tests.lean_contracts import WRAPPER
from verify import graph_models, graph_python
from verify.graph import Graph
from verify.impact import Tree, build, difference, events, matches, named

KERNEL = Path(kernel.__file__).parent


@pytest.fixture(scope="module")
def tree() -> Tree:
    return build()


# --- the kernel's calls, exactly -----------------------------------------------------------------


def calls_of(session: Callable[[], object]) -> set[tuple[str, str]]:
    """Return (caller, callee) of every call between functions of the kernel while it plays."""
    names: dict[CodeType, str] = {}
    seen: set[tuple[str, str]] = set()

    def place(code: CodeType) -> str:
        """The dotted name of a function of the kernel, "" for anything else."""
        if code not in names:
            path = Path(code.co_filename)
            plain = path.parent == KERNEL and "<" not in code.co_qualname
            names[code] = f"kernel.{path.stem}.{code.co_qualname}" if plain else ""
        return names[code]

    def watch(frame: FrameType, what: str, _: object) -> None:
        callee = place(frame.f_code) if what == "call" else ""
        above = frame.f_back
        # Between the two may stand the wrapper of a contract.
        while callee and above is not None and above.f_code.co_filename == WRAPPER:
            above = above.f_back
        if callee and above is not None and (caller := place(above.f_code)):
            seen.add((caller, callee))

    sys.setprofile(watch)
    try:
        session()
    finally:
        sys.setprofile(None)
    return seen


@pytest.fixture(scope="module")
def calls() -> set[tuple[str, str]]:
    """What a session from APEX calls, with its promises, and one of the other profile's."""
    apex, strict = holding(until(Posture.APEX)), fresh(Profile.SPECIFICATION)
    return calls_of(lambda: [list(random_events(5, 120, start)) for start in (apex, strict)])


def unseen(graph: Graph, calls: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the calls that the graph has no edge for."""
    edges = {(edge.dependent, edge.dependee) for edge in graph.edges()}
    return sorted(calls - edges)


def test_every_call_that_the_kernel_makes_is_an_edge(
    tree: Tree, calls: set[tuple[str, str]]
) -> None:
    assert ("kernel.gate.request_order", "kernel.gate.request_verdict") in calls
    assert len(calls) > 80, "the sessions were too tame to show anything"
    assert unseen(tree.graph, calls) == []


def test_control_an_edge_that_is_lost_is_noticed(
    tree: Tree, calls: set[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same reader, blind to one name, loses the edge, and the sessions say so."""
    real = graph_python.Resolver.named

    def blind(self: Any, module: Any, node: Any, local: set[str]) -> Any:
        yield from (
            found for found in real(self, module, node, local) if "request_verdict" not in found[0]
        )

    monkeypatch.setattr(graph_python.Resolver, "named", blind)
    graph = Graph()
    graph_python.add_python(graph, tree.root)
    lost = ("kernel.gate.request_order", "kernel.gate.request_verdict")
    assert lost in unseen(graph, calls)


# --- the tree's own correspondences --------------------------------------------------------------


def test_every_event_has_its_handler_and_its_actions(tree: Tree) -> None:
    handlers = events(tree)
    assert len(handlers) == 22
    assert handlers["RequestOrder"] == "kernel.gate.request_order"
    for event, handler in handlers.items():
        reached = {edge.dependent for edge in tree.graph.on(handler)}
        assert f"Kernel!{event}" in reached, event


def test_a_function_is_reached_from_all_sides(tree: Tree) -> None:
    hits = tree.graph.walk(["kernel.gate.request_order"])
    assert hits["kernel.step.step_bare"].depth > 1
    above = [hit for hit in hits.values() if hit.via == "kernel.gate.request_order"]
    assert any(hit.why == "calls" and hit.node.name.startswith("kernel.") for hit in above)
    assert hits["Kernel!RequestOrder"].why == "is the same action as"
    test = "tests/kernel/test_gate.py::test_a_permit_reserves_and_says_so"
    assert "RequestOrder" in hits[test].why or "calls" in hits[test].why or "KRN" in hits[test].why
    assert hits["proof of kernel.gate.request_order"].why == "proves the contract of"
    assert "proof of kernel.contracts.pure" not in tree.graph.nodes, "the prover is excused from it"
    assert "KRN-GATE-021" in hits
    assert "kernel.curves.capital" not in hits
    curve = tree.graph.walk(["kernel.curves.capital"])
    assert curve["Curves.v!capital"].why == "mirrors"
    assert any(hit.node.what == "Rocq" and hit.via == "Curves.v!capital" for hit in curve.values())


def test_an_operator_is_checked_by_its_models(tree: Tree) -> None:
    hits = tree.graph.walk(["Gate!NoPermitFlips"])
    assert hits["MCGate.cfg"].why == "checks"
    assert hits["BadGateWouldFlip"].why == "must fail"
    assert hits["kernel.invariants.NoPermitFlips"].why == "has the name of"
    # What rests on the function does not rest on the operator.
    assert "kernel.step.step" not in hits
    assert "MCPosture.cfg" not in hits


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("request_verdict", "kernel.gate.request_verdict"),
        ("kernel.gate.request_verdict", "kernel.gate.request_verdict"),
        ("kernel.gate", "kernel.gate.ceiling"),
        ("kernel/gate.py", "kernel.gate.ceiling"),
        ("RequestOrder", "kernel.events.RequestOrder"),
        ("RequestOrder", "kernel.gate.request_order"),
        ("RequestOrder", "Kernel!RequestOrder"),
        ("NoPermitFlips", "kernel.invariants.NoPermitFlips"),
        ("Gate!Fill", "Gate!Fill"),
        ("Gate", "Gate!Fill"),
        ("spec/tla/Gate.tla", "Gate!Fill"),
        ("MCGate", "MCGate.cfg"),
        ("KRN-KILL-013", "KRN-KILL-013"),
        ("test_a_permit_reserves_and_says_so",
         "tests/kernel/test_gate.py::test_a_permit_reserves_and_says_so"),
    ],
)  # fmt: skip
def test_what_a_name_stands_for(tree: Tree, name: str, place: str) -> None:
    assert place in named(tree, name)


def test_a_pattern_means_what_a_glob_means() -> None:
    assert matches("kernel/gate.py", "kernel/*.py")
    assert not matches("kernel/deep/gate.py", "kernel/*.py")
    assert matches("kernel/deep/gate.py", "kernel/**/*.py")
    assert matches("kernel/gate.py", "kernel/**/*.py")
    assert not matches("traces/gate.py", "kernel/**/*.py")


# --- a small project, broken on purpose ----------------------------------------------------------

FILES = {
    "kernel/events.py": "class Event:\n    pass\n\n\nclass PutOut(Event):\n    pass\n",
    "kernel/lamp.py": (
        '"""A lamp."""\n\nfrom kernel.events import PutOut\n\n\n# KRN-KILL-001\n'
        "def put_out(lit: bool, event: PutOut) -> bool:\n    return dark(lit)\n\n\n"
        "def dark(lit: bool) -> bool:\n    return False\n\n\nLEVEL = 3\n"
    ),
    "kernel/step.py": (
        "from kernel.lamp import put_out\n\n\ndef step(lit, event):\n"
        "    return put_out(lit, event)\n"
    ),
    "kernel/invariants.py": "def LampIsSane(lit):\n    return True\n",
    "spec/tla/Lamp.tla": (
        "---- MODULE Lamp ----\nEXTENDS Integers\nVARIABLE lit\nDark == lit' = FALSE\n"
        "\\* KRN-KILL-001\nPutOut == lit /\\ Dark\nLampIsSane == lit \\in BOOLEAN\n"
        "Init == lit = TRUE\nSpec == Init /\\ [][PutOut]_lit\n====\n"
    ),
    "spec/tla/Other.tla": "---- MODULE Other ----\nVARIABLE x\nSpec == x = 1\n====\n",
    "spec/tla/MCLamp.cfg": "SPECIFICATION Spec\nINVARIANT LampIsSane\n",
    "spec/tla/MCOther.cfg": "SPECIFICATION Spec\n",
    "spec/tla/manifest.json": json.dumps(
        {"models": [
            {"name": name, "module": name[2:], "cfg": f"{name}.cfg", "mode": "safety",
             "lane": "fast", "expected": "success", "coverage": True}
            for name in ("MCLamp", "MCOther")
        ]}
    ),
    "tests/test_lamp.py": (
        "import pytest\n\nfrom kernel.events import PutOut\nfrom kernel.lamp import dark\n"
        "from kernel.step import step\n\n\n@pytest.fixture\ndef lit():\n    return True\n\n\n"
        '@pytest.mark.req("KRN-KILL-001")\ndef test_put_out(lit):\n'
        "    assert not step(lit, PutOut())\n\n\ndef test_dark():\n    assert not dark(True)\n\n\n"
        "def test_nothing():\n    pass\n"
    ),
    "certification/requirements/lamp.toml": (
        '[defaults]\nlevel = "A"\nsource = "bible 1"\nmethod = ["test"]\n\n'
        '[SYS-001]\ntext = "The lamp shall obey."\nparent = "none"\n\n'
        '[KRN-KILL-001]\ntext = "The lamp shall go out."\nparent = "SYS-001"\n'
    ),
}  # fmt: skip


def git(root: Path, *words: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        put(tmp_path, name, text)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "lamp")
    return tmp_path


def asked(root: Path, *words: str) -> Result:
    return CliRunner().invoke(command, ["--root", str(root), *words])


def answer(root: Path, *words: str) -> dict[str, Any]:
    done = asked(root, *words, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def names(rows: list[dict[str, Any]]) -> set[str]:
    return {row["name"] for row in rows}


def test_all_kinds_of_edges_of_a_small_project(project: Path) -> None:
    found = answer(project, "put_out")
    assert names(found["code"]) == {"kernel.lamp.put_out", "kernel.step.step"}
    assert names(found["specs"]) == {"Lamp!PutOut"}
    assert names(found["requirements"]) >= {"KRN-KILL-001"}
    assert "tests/test_lamp.py::test_put_out" in found["run"]["tests_direct"]
    assert "tests/test_lamp.py::test_nothing" not in names(found["tests"])
    why = next(row["why"] for row in found["tests"] if row["name"].endswith("test_put_out"))
    assert why in ("sends PutOut, answered by", "verifies KRN-KILL-001, which is carried by")


def test_a_model_is_checked_again_when_its_module_changes(project: Path) -> None:
    found = answer(project, "Lamp!Dark")
    assert found["run"]["check"] == ["MCLamp"]
    assert found["run"]["commands"][0] == "dolphin check MCLamp"
    rows = {row["name"]: row for row in found["models"]}
    assert rows.keys() == {"MCLamp.cfg"}
    assert names(found["specs"]) == {"Lamp!Dark", "Lamp!PutOut", "Lamp!Spec", "Lamp!"}


def test_control_a_call_that_goes_takes_its_edge(project: Path) -> None:
    assert "kernel.lamp.put_out" in names(answer(project, "kernel.lamp.dark")["code"])
    text = FILES["kernel/lamp.py"].replace("return dark(lit)", "return False")
    put(project, "kernel/lamp.py", text)
    assert names(answer(project, "kernel.lamp.dark")["code"]) == {"kernel.lamp.dark"}


def test_control_an_operator_that_goes_takes_its_edge(project: Path) -> None:
    put(project, "spec/tla/Lamp.tla", FILES["spec/tla/Lamp.tla"].replace("lit /\\ Dark", "lit"))
    assert "Lamp!PutOut" not in names(answer(project, "Lamp!Dark")["specs"])


def test_control_a_mark_that_goes_takes_its_edge(project: Path) -> None:
    assert names(answer(project, "KRN-KILL-001")["tests"]) == {"tests/test_lamp.py::test_put_out"}
    mark = '@pytest.mark.req("KRN-KILL-001")\n'
    put(project, "tests/test_lamp.py", FILES["tests/test_lamp.py"].replace(mark, ""))
    assert answer(project, "KRN-KILL-001")["tests"] == []


@pytest.mark.parametrize(
    ("file", "old", "new", "places"),
    [
        ("kernel/lamp.py", "return False", "return lit", {"kernel.lamp.dark": "changed"}),
        ("kernel/lamp.py", "LEVEL = 3", "LEVEL = 4", {"kernel.lamp.LEVEL": "changed"}),
        ("kernel/lamp.py", "LEVEL = 3", "DEPTH = 3",
         {"kernel.lamp.LEVEL": "removed", "kernel.lamp.DEPTH": "added"}),
        ("kernel/lamp.py", '"""A lamp."""', '"""Another lamp."""', {}),
        ("kernel/lamp.py", "# KRN-KILL-001", "# a comment", {}),
        ("kernel/lamp.py", "dark(lit)", "dark( lit )", {}),
        ("spec/tla/Lamp.tla", "lit' = FALSE", "lit' = ~lit", {"Lamp!Dark": "changed"}),
        ("spec/tla/Lamp.tla", "\\* KRN-KILL-001", "\\* words", {}),
        ("spec/tla/Lamp.tla", "VARIABLE lit", "VARIABLES lit, x", {"Lamp!": "changed"}),
        ("spec/tla/MCLamp.cfg", "INVARIANT", "INVARIANTS", {"MCLamp.cfg": "changed"}),
        ("certification/requirements/lamp.toml", "go out", "go out at once",
         {"KRN-KILL-001": "changed"}),
        ("tests/test_lamp.py", "dark(True)", "dark(False)",
         {"tests/test_lamp.py::test_dark": "changed"}),
    ],
)  # fmt: skip
def test_a_difference_is_told_by_its_places(
    project: Path, file: str, old: str, new: str, places: dict[str, str]
) -> None:
    assert old in FILES[file]
    put(project, file, FILES[file].replace(old, new))
    assert difference(project, "HEAD").places == places


def test_what_hangs_on_a_difference(project: Path) -> None:
    put(project, "kernel/lamp.py", FILES["kernel/lamp.py"].replace("return False", "return lit"))
    put(project, "notes.md", "words\n")
    found = answer(project, "--diff", "HEAD")
    assert found["roots"] == [
        {"name": "kernel.lamp.dark", "why": "changed", "file": "kernel/lamp.py", "line": 11}
    ]
    assert found["unknown_files"] == ["notes.md"]
    assert "kernel.step.step" in names(found["code"])
    assert set(found["run"]["tests_direct"]) == {
        "tests/test_lamp.py::test_dark", "tests/test_lamp.py::test_put_out",
    }  # fmt: skip
    assert "tests" in found["run"]["verify"]
    assert "tests/tidy" in found["run"]["test_files_further"]


def test_what_is_removed_is_said(project: Path) -> None:
    put(project, "kernel/lamp.py", FILES["kernel/lamp.py"].replace("LEVEL = 3\n", ""))
    found = answer(project, "--diff", "HEAD")
    assert found["removed"] == ["kernel.lamp.LEVEL"]
    assert "no longer there" in asked(project, "--diff", "HEAD").output


def test_nothing_changed_is_an_answer(project: Path) -> None:
    found = answer(project, "--diff", "HEAD")
    assert (found["roots"], found["run"]["commands"]) == ([], [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("put_oot",), "did you mean put_out"),
        (("xyzzy",), "no name is near it"),
        (("--diff", "no-such-revision"), "--diff no-such-revision: no such revision"),
        ((), "give a NAME or --diff REV"),
        (("",), "an empty name"),
        (("put_out", "--diff", "HEAD"), "give a NAME or --diff REV"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(project: Path, words: tuple[str, ...], said: str) -> None:
    done = asked(project, *words)
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("dolphin impact: ")
    assert said in line
    assert done.stdout == ""


def test_a_source_that_cannot_be_read_is_one_line(project: Path) -> None:
    put(project, "kernel/lamp.py", "def put_out(:\n")
    done = asked(project, "put_out")
    assert done.exit_code == 2
    assert "kernel/lamp.py" in done.stderr


def test_the_page_for_people(project: Path) -> None:
    said = asked(project, "put_out").output
    assert "kernel.step.step  calls kernel.lamp.put_out  kernel/step.py:4" in said
    assert "Lamp!PutOut  is the same action as kernel.lamp.put_out" in said
    assert "python -m pytest tests/test_lamp.py::test_put_out" in said


def test_comments_of_a_model_hide_nothing_else() -> None:
    text = 'A == (* B == (* C *) *) "x"\n\\* D == 1\nE == 2 \\* F\n'
    plain = graph_models.without_comments(text)
    assert [row.rstrip() for row in plain.splitlines()] == [
        'A ==                    "x"', "", "E == 2",
    ]  # fmt: skip
    module = f"---- MODULE M ----\n{text}====\n"
    one = graph_models.read_module("spec/tla/M.tla", module)
    assert set(one.bodies) == {"A", "E"}
    assert one.lines == {"A": (2, 2), "E": (4, 4)}
