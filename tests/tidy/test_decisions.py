"""Decisions have numbers of their own, and a number that is cited has a page.

Rules of the check:

*   A page in docs/adr/ is called `NNNN-words.md`, and its first line is `# NNNN` and a title.
*   No two pages share a number.
*   `ADR NNNN` in code, models or pages, and `adr/NNNN`, name a page that is there.

Not here: links, which `test_docs.py` follows.
"""

import re
from pathlib import PurePosixPath

import pytest

from tests.tidy.findings import Finding, files, must_reject, show

CITED = re.compile(r"\b(?:ADR[ -]|adr/)(\d{4})\b")
FOLDER = "docs/adr/"
SELF = "tests/tidy/test_decisions.py"


def numbered(path: str, text: str) -> list[Finding]:
    """Return a finding where a decision's name and title do not carry one number."""
    name = PurePosixPath(path).name
    if name == "README.md":
        return []
    number = re.match(r"(\d{4})-[a-z0-9-]+\.md$", name)
    if not number:
        return [Finding(path, 0, "name without a number", "NNNN-words-with-hyphens.md")]
    if not re.match(rf"# (ADR )?{number.group(1)}\b[.:]? \S", text):
        what = f"the title does not begin with {number.group(1)}"
        return [Finding(path, 1, what, f"# {number.group(1)} Title")]
    return []


def shared(paths: list[str]) -> list[Finding]:
    """Return the pages whose number another page has too."""
    numbers = [PurePosixPath(path).name[:4] for path in paths]
    return [
        Finding(path, 0, f"number {number} is taken twice", "take the next free one of the part")
        for path, number in zip(paths, numbers, strict=True)
        if numbers.count(number) > 1
    ]


def citations(path: str, text: str, known: set[str]) -> list[Finding]:
    """Return the cited numbers without a page."""
    return [
        Finding(path, number, f"decision {cited} has no page", f"write it in {FOLDER}")
        for number, line in enumerate(text.splitlines(), start=1)
        for cited in CITED.findall(line)
        if cited not in known
    ]


def decisions() -> dict[str, str]:
    return {
        path: text
        for path, text in files(".md", under=("docs/adr",))
        if PurePosixPath(path).name != "README.md"
    }


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("locks.md", "# 0004 Locks\n", "name without"),
        ("0004_locks.md", "# 0004 Locks\n", "name without"),
        ("0004-locks.md", "# Locks\n", "the title"),
        ("0004-locks.md", "# 0005 Locks\n", "the title"),
    ],
)
def test_a_page_without_its_number_is_rejected(name: str, text: str, what: str) -> None:
    must_reject(numbered, FOLDER + name, text, what)


def test_a_numbered_page_passes() -> None:
    assert numbered(FOLDER + "0004-locks.md", "# 0004 Locks\n") == []
    assert numbered(FOLDER + "0004-locks.md", "# 0004. Locks\n") == []


def test_a_shared_number_is_rejected() -> None:
    assert len(shared(["0001-a.md", "0001-b.md", "0002-c.md"])) == 2
    assert shared(["0001-a.md", "0002-c.md"]) == []


def test_a_citation_without_a_page_is_rejected() -> None:
    for text in ("see ADR 9999\n", "see docs/adr/9999\n", "(ADR-9999)\n"):
        must_reject(lambda p, t: citations(p, t, {"0001"}), "kernel/a.py", text, "9999")
    assert citations("kernel/a.py", "see ADR 0001\n", {"0001"}) == []


def test_every_decision_carries_its_own_number() -> None:
    pages = decisions()
    assert len(pages) >= 4
    found = [each for path, text in pages.items() for each in numbered(path, text)]
    found += shared(sorted(pages))
    assert not found, show(found)


def test_every_cited_decision_has_a_page() -> None:
    known = {PurePosixPath(path).name[:4] for path in decisions()}
    found = [
        each
        for path, text in files(".py", ".md", ".tla", ".cfg", ".toml", "Makefile")
        if path != SELF
        for each in citations(path, text, known)
    ]
    assert not found, show(found)
