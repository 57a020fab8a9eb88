"""The exports, read back by what reads them; and the page."""

import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

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


class Page(HTMLParser):
    """What the page holds: ids, links, cells; and that every tag is closed."""

    VOID = frozenset(("meta", "input", "br", "link"))
    LOOSE = frozenset(("th", "tr", "thead"))

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
