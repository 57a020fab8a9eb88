"""Every citation of a source document ends at a heading of ``docs/sources/``.

A citation is a source's name, a blank and a section: ``bible 11.2``, ``specification VI.1``. Rules:

*   The section, and each further one of a list or range behind it (``bible 11.2, 12``, ``bible 11.2
    to 11.4``), begins a heading of that source's pages. A criterion, category or phase that follows
    (``specification VI.1 category 1``) belongs to the heading too.
*   There is one form. A section sign, a file that only the authors have, a part by its name and not
    its number are rejected: no reader, and no test, could follow them.
*   A line break, with or without a comment's mark, counts as the blank.

The pages may cite too, and are read like the rest. Not here: links and paths (``test_docs.py``),
whether the cited section says what the citing line claims.
"""

import re
from collections.abc import Mapping

import pytest

from tests.tidy.findings import Finding, files, must_reject, show

PAGES = "docs/sources/"
# A source's name → its sections' form. Profiles bear such names too: the number makes a citation.
SECTIONS: Mapping[str, str] = {
    "bible": r"\d{1,2}a?(?:\.\d{1,2}){0,2}",
    "specification": r"[IVX]+(?:\.\d)?(?: (?:category \d|criterion [IVX]+|MIG\d))?",
    "roadmap": r"\d",
    "spike": r"\d",
    "design": r"\d{1,2}(?:\.\d)?",
}
GAP = r"(?: |[ \t]*\n[ \t]*(?:#:?|\\?\*\)?|\(\*|>)?[ \t]*)"
THEN = rf"(?:,{GAP}(?:and{GAP})?|{GAP}(?:and|to|or){GAP}|[-\u2013])"
# What makes of a number in a list a quantity and not a section.
QUANTITY = r"(?!\.?\d| ?%| (?:bars?|ms|s|min|gives?|h|\u00d7)\b)"
CITATIONS = {
    name: re.compile(
        rf"\b(?:{name}|{name.capitalize()}){GAP}"
        rf"({form}){QUANTITY}\b((?:(?: \([^()]*\))?{THEN}{form}{QUANTITY}\b)*)"
    )
    for name, form in SECTIONS.items()
}
FORMS = (
    ("\u00a7", "section sign", "`bible 11.2`: name, blank, number"),
    (r"\bseeds/\d", "a file that the reader does not have", "the source by its name: `bible 11.2`"),
    (r"\bdesign\.md (?:section|\d)", "another way to cite the design page", "`design 3.4`"),
    (r"\b[Ss]ection \d+ of the (?:bible|design)", "another way to cite", "`bible 11.2`"),
    (r"\b(?:[Bb]ible|[Dd]esign|[Ss]pecification) (?:section|chapter) ", "another way to cite",
     "`bible 11.2`"),
    (r"\broadmap phase \d", "another way to cite the roadmap", "`roadmap 2`"),
    (r"\b[Dd]esign 3,? \(?(?:[Jj]ournal|[Ll]edger|order gate|kill-switch|survival)",
     "a part of design 3 by its name", "its number, from `design 3.1` to `design 3.6`"),
    (r"\bspecification [IVX.\d]+, (?:cat|criterion|MIG)", "a comma inside a citation",
     "`specification VI.1 category 2`"),
    (r"\brecipes?/\w|\bshared/(?!data\b)", "a file that the reader does not have",
     "say what it says"),
    (r"\b[Ii]ssue \d+\b", "a page that the reader does not have", "an ADR, or what the issue said"),
)  # fmt: skip
SUFFIXES = (".py", ".tla", ".cfg", ".toml", ".md", ".v", ".txt")
SELF = "tests/tidy/test_citations.py"


def headings(pages: Mapping[str, str]) -> dict[str, set[str]]:
    """Return for each source the sections that a heading of its pages begins with."""
    found: dict[str, set[str]] = {}
    for name, form in SECTIONS.items():
        found[name] = set()
        for path, text in pages.items():
            if path.startswith(PAGES + name):
                titles = re.findall(r"^#{2,4} (.+)$", text, re.M)
                matched = [re.match(rf"({form})(?![.\w])", title) for title in titles]
                found[name] |= {match.group(1) for match in matched if match}
    return found


def citations(text: str) -> list[tuple[int, str, str]]:
    """Return line, source and section of every citation of the text."""
    found = []
    for name, pattern in CITATIONS.items():
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            plain = re.sub(r" \([^()]*\)", "", match.group(2))
            further = re.findall(rf"{THEN}({SECTIONS[name]})", plain)
            found += [(line, name, section) for section in (match.group(1), *further)]
    return found


def cited(path: str, text: str, known: Mapping[str, set[str]]) -> list[Finding]:
    """Return the citations that lead to no heading, and those in another form than the one."""
    found = []
    for line, name, section in citations(text):
        if section not in known[name]:
            what = f"{name} {section} is no heading of {PAGES}{name}*.md"
            found.append(
                Finding(path, line, what, "cite a section that is there, or write it there")
            )
    for pattern, what, instead in FORMS:
        for match in re.finditer(pattern, text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Finding(path, line, what, instead))
    return found


KNOWN = headings({
    "docs/sources/bible-1.md": "# Bible\n## 11 A\n### 11.2 B\n## 12 C\n#### 24.5.1 D\n",
    "docs/sources/specification.md":
        "## VI A\n### VI.1 B\n#### VI.1 category 1: c\n### VIII MIG5\n",
    "docs/sources/roadmap.md": "## 2 Phase 2: x\n", "docs/sources/spike.md": "## 1 x\n",
    "docs/sources/design.md": "## 3 x\n### 3.4 y\n",
})  # fmt: skip
REJECTED = [
    ("# bible 11.9\n", "bible 11.9"),
    ("Bible 13: x\n", "bible 13"),
    ("bible 11.2, 11.7 and 12\n", "bible 11.7"),
    ("bible 11.2 (30 s), 11.8\n", "bible 11.8"),
    ("bible 11.2 to 11.4\n", "bible 11.4"),
    ("# as in the bible\n# 99.1 says\n", "bible 99.1"),
    ("\\* specification VI.3: a sixth\n", "specification VI.3"),
    ("specification VI.1 category 7\n", "category 7"),
    ("specification VIII MIG9\n", "MIG9"),
    ('source = "roadmap 9"\n', "roadmap 9"),
    ("spike 8\n", "spike 8"),
    ("(design 3.9)\n", "design 3.9"),
    ("bible \u00a711.2\n", "section sign"),
    ("(seeds/004, section 11)\n", "does not have"),
    ("design.md section 3\n", "another way"),
    ("roadmap phase 2\n", "roadmap"),
    ("design 3, Ledger\n", "by its name"),
    ("design 3 (order gate)\n", "by its name"),
    ("specification VI.1, category 1\n", "comma"),
    ("see recipes/x.md\n", "does not have"),
    ("see issue 3\n", "does not have"),
]
ALLOWED = (
    "bible 11.2, 12; specification VI.1 category 1, VI; specification VIII MIG5, design 3.4.\n"
    "bible 24.5.1 roadmap 2 spike 1\n# (bible\n# 11.2)\nthe bible's 5 bars; bible: 2 and 5\n"
    "SPECIFICATION InductiveSpec\n../shared/data/x.parquet\nprofile bible; 2 of 3 specifications\n"
)


@pytest.mark.parametrize(("text", "what"), REJECTED)
def test_a_citation_that_leads_nowhere_is_rejected(text: str, what: str) -> None:
    must_reject(lambda p, t: cited(p, t, KNOWN), "docs/X.md", text, what)


def test_citations_that_lead_somewhere_pass() -> None:
    assert cited("docs/X.md", ALLOWED, KNOWN) == [], show(cited("docs/X.md", ALLOWED, KNOWN))


def test_control_a_heading_taken_away_is_missed() -> None:
    """The pages as they are, without one heading: who cites it is found."""
    pages = {path: text for path, text in files(".md") if path.startswith(PAGES)}
    less = headings(
        {path: re.sub(r"^### 11\.2 .*$", "", text, flags=re.M) for path, text in pages.items()}
    )
    found = [
        each for path, text in files(*SUFFIXES) if path != SELF for each in cited(path, text, less)
    ]
    missed = [each for each in found if "bible 11.2 " in each.what]
    assert missed == found, show(found)
    assert len(missed) >= 20, show(found)


def test_every_citation_ends_at_a_heading() -> None:
    known = headings({path: text for path, text in files(".md") if path.startswith(PAGES)})
    assert all(known.values())
    count, found = 0, []
    for path, text in files(*SUFFIXES):
        if path != SELF:
            count += len(citations(text))
            found += cited(path, text, known)
    assert not found, show(found)
    assert count > 150, f"only {count} citations: does the pattern still find them?"


def test_a_section_has_one_heading() -> None:
    for name, form in SECTIONS.items():
        titles = [
            title
            for path, text in files(".md")
            if path.startswith(PAGES + name)
            for title in re.findall(rf"^#{{2,4}} ({form})(?![.\w])", text, re.M)
        ]
        assert len(titles) == len(set(titles)), f"{name}: a section has two headings"
