"""Documentation does not lie about what is there.

Three checks over every Markdown file of the tree:

*   `links`: a relative link leads to a file that exists, and an anchor to a heading of that file.
    GitHub's rule makes an anchor of a heading: lower case, blanks to hyphens, punctuation dropped,
    repeated headings numbered. Links to the outside are not followed: no test needs the network.
*   `targets`: `make check` in a code span names a target of the Makefile. (Paths:
    `test_mentions.py`, which reads the comments of code too.)
*   `abbreviations`: two to six capitals in a row are an entry of docs/GLOSSARY.md, a name that the
    kernel defines, a Roman number, or stand in a code span.

Not here: whether the sentences are true.
"""

import re
from pathlib import PurePosixPath

import pytest

from tests.tidy.findings import ROOT, Finding, files, must_reject, show, tree

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
CODE_SPAN = re.compile(r"`[^`]*`")
ABBREVIATION = re.compile(r"(?<![\w.-])([A-Z]{2,6})s?(?![\w.])")
GLOSSARY = "docs/GLOSSARY.md"
SOURCES = "docs/sources/README.md"  # words that the source documents alone use


def outside_fences(text: str) -> list[tuple[int, str]]:
    """Return the numbered lines that are not inside a fenced block."""
    lines, fenced = [], False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            lines.append((number, line))
    return lines


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings, as GitHub forms them."""
    found: set[str] = set()
    for _, line in outside_fences(text):
        match = HEADING.match(line)
        if match:
            plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", match.group(1))
            slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
            number, unique = 0, slug
            while unique in found:
                number += 1
                unique = f"{slug}-{number}"
            found.add(unique)
    return found


def links(path: str, text: str, pages: dict[str, str], there: set[str]) -> list[Finding]:
    """Return the relative links that lead nowhere.

    `pages` is the text of every Markdown file, `there` every file and folder of the tree.
    """
    found = []
    for number, line in outside_fences(text):
        for target in LINK.findall(CODE_SPAN.sub("", line)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            base = PurePosixPath(path).parent
            where = path if not name else resolve(base, name)
            if where not in there:
                what = f"broken link {target}"
                found.append(Finding(path, number, what, "link to a file of the tree"))
            elif anchor and where in pages and anchor not in anchors(pages[where]):
                what = f"no heading for #{anchor} in {where}"
                found.append(Finding(path, number, what, "take the anchor from the heading"))
    return found


def resolve(base: PurePosixPath, name: str) -> str:
    """Return `name` relative to the root, with `..` worked out."""
    parts: list[str] = []
    for part in (base / name).parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def targets(path: str, text: str, known: set[str]) -> list[Finding]:
    """Return the code spans that name a make target which is not there."""
    found = []
    for number, line in outside_fences(text):
        for span in CODE_SPAN.findall(line):
            word = span.strip("`").strip()
            make = re.fullmatch(r"make ([a-z-]+)(?: .*)?", word)
            if make and make.group(1) not in known:
                what = f"`{word}`: the Makefile has no such target"
                found.append(Finding(path, number, what, "name a target that `make help` lists"))
    return found


def abbreviations(path: str, text: str, known: set[str]) -> list[Finding]:
    """Return the capitals that the glossary does not explain."""
    found = []
    for number, line in outside_fences(text):
        plain = LINK.sub("", CODE_SPAN.sub("", line))
        for word in ABBREVIATION.findall(plain):
            if word not in known and not re.fullmatch(r"[IVX]+", word):
                what = f"{word} is not in {GLOSSARY}"
                found.append(Finding(path, number, what, "explain it there, or write it out"))
    return found


def glossary_entries(text: str) -> list[str]:
    """Return the terms of the glossary's tables: the first cell of each row, in order."""
    rows = re.findall(r"^\|\s*([^|]+?)\s*\|", text, re.MULTILINE)
    return [row.strip("`* ") for row in rows if not re.fullmatch(r"[-: ]+|term|name", row)]


def kernel_names(texts: list[str]) -> set[str]:
    """Return the constants and enum members that are assigned in these modules."""
    return {each for text in texts for each in re.findall(r"^\s*([A-Z]{2,6})(?::| =)", text, re.M)}


def pages() -> dict[str, str]:
    return dict(files(".md"))


def folders_and_files() -> set[str]:
    names = set(tree())
    parents = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    return names | parents


def make_targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))


SAMPLE_PAGES = {"README.md": "# A `b` c!\n## A\n## A\n", "docs/X.md": "# X\n"}
SAMPLE_TREE = {*SAMPLE_PAGES, "docs", "kernel", "kernel/posture.py"}
BAD_LINKS = [
    ("docs/X.md", "[x](Y.md)\n", "broken link"),
    ("docs/X.md", "[x](README.md)\n", "broken link"),
    ("docs/X.md", "[x](../README.md#nothing)\n", "no heading"),
    ("docs/X.md", "[x](#nothing)\n", "no heading"),
    ("README.md", "![picture](docs/picture.svg)\n", "broken link"),
]
GOOD_LINKS = [
    ("docs/X.md", "[x](../README.md#a-b-c) [y](#x) [z](../README.md#a-1)\n"),
    ("docs/X.md", "[x](https://example.com/#y) `[x](Y.md)`\n```\n[x](Y.md)\n```\n"),
    ("README.md", "[x](docs/) [y](docs/X.md)\n"),
]


@pytest.mark.parametrize(("path", "text", "what"), BAD_LINKS)
def test_a_broken_link_is_rejected(path: str, text: str, what: str) -> None:
    texts = SAMPLE_PAGES | {path: SAMPLE_PAGES[path] + text}
    must_reject(lambda p, t: links(p, t, texts, SAMPLE_TREE), path, texts[path], what)


@pytest.mark.parametrize(("path", "text"), GOOD_LINKS)
def test_a_link_that_leads_somewhere_passes(path: str, text: str) -> None:
    assert links(path, text, SAMPLE_PAGES, SAMPLE_TREE) == []


def test_a_target_that_is_not_there_is_rejected() -> None:
    must_reject(lambda p, t: targets(p, t, {"run"}), "docs/X.md", "`make tea`\n", "no such target")


def test_a_target_that_is_there_passes() -> None:
    assert targets("docs/X.md", "`make run ARGS=x` and make tea\n", {"run"}) == []


def test_an_unexplained_abbreviation_is_rejected() -> None:
    must_reject(lambda p, t: abbreviations(p, t, {"TLC"}), "docs/X.md", "The QZX does.\n", "QZX")


def test_an_explained_abbreviation_passes() -> None:
    text = "TLC and TLC's cfg, `QZX`, ADR-like_THIS, a MACs\n"
    assert abbreviations("docs/X.md", text, {"TLC", "MAC", "ADR"}) == []


def test_glossary_entries_are_the_first_cells() -> None:
    text = "| term | meaning |\n|---|---|\n| ABC | x |\n| **DEF** | y |\n"
    assert glossary_entries(text) == ["ABC", "DEF"]


def test_links_lead_somewhere() -> None:
    all_pages, there = pages(), folders_and_files()
    found = []
    for path, text in all_pages.items():
        found += links(path, text, all_pages, there)
    assert not found, show(found)


def test_targets_that_pages_name_are_there() -> None:
    known = make_targets()
    found = [each for path, text in pages().items() for each in targets(path, text, known)]
    assert not found, show(found)


def test_abbreviations_are_in_the_glossary() -> None:
    all_pages = pages()
    known = set(glossary_entries(all_pages[GLOSSARY]))
    known |= set(glossary_entries(all_pages[SOURCES]))
    known |= kernel_names([text for _, text in files(".py", under=("kernel",))])
    found = [each for path, text in all_pages.items() for each in abbreviations(path, text, known)]
    assert not found, show(found)


def test_the_glossary_is_sorted_and_without_twins() -> None:
    for section in re.split(r"^## ", pages()[GLOSSARY], flags=re.MULTILINE)[1:]:
        terms = [term.lower() for term in glossary_entries(section)]
        assert terms == sorted(set(terms)), f"sort and join the rows of: {section.splitlines()[0]}"
