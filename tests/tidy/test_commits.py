"""A commit's subject is a plain sentence of at most 72 columns, and its body says why.

Rules of the check, for every commit since the one that brought this file (merges apart):

*   The subject has at most 72 columns, ends without a full stop, is no work in progress, and holds
    none of the words of ``plain_words.toml``.
*   A blank line, then a body.

A history cannot be mended without rewriting it, so what slipped through is waived by its hash, with
a reason. Without a history (an archive, a shallow clone, a file not committed yet) it is not run.
"""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests.tidy.findings import ROOT
from tests.tidy.test_plain_words import CODE_SPAN, WORDS

SUBJECT_COLUMNS_MAX = 72
SELF = "tests/tidy/test_commits.py"
UNFINISHED = re.compile(r"(?:wip|fixup!|squash!|tmp|xxx)\b", re.IGNORECASE)
# The first digits of a commit's hash → why it stays as it is.
WAIVED: Mapping[str, str] = {
    "a850988f8": "landed before its author had the rule; the subject says the whole",
    "032cf949d": "landed before its author had the rule; ADR 0003 says why",
    "7a7a697dd": "landed before its author had the rule; ADR 0081 says why",
    "57b325471": "landed beside this test, not through it; its body says the whole",
    "f763e2e75": "landed before its author had the rule; the subject says the whole",
}


@dataclass(frozen=True)
class Commit:
    """A commit's hash and message."""

    hash: str
    message: str


def wrong(commit: Commit) -> list[str]:
    """Return what is wrong with a commit's message, each with what to do instead."""
    subject, _, rest = commit.message.partition("\n")
    found = []
    if len(subject) > SUBJECT_COLUMNS_MAX:
        found.append(f"{len(subject)} columns: at most {SUBJECT_COLUMNS_MAX}, the rest in the body")
    if subject.endswith("."):
        found.append("a full stop at the end: leave it out")
    if UNFINISHED.match(subject):
        found.append("work in progress: squash it into what it became")
    found += [
        f'"{match.group()}" is a private word: {word.instead}'
        for word in WORDS
        if (match := word.private.search(word.but.sub("", CODE_SPAN.sub("", subject))))
    ]
    if not rest.strip():
        found.append("no body: say why")
    elif not rest.startswith("\n"):
        found.append("no blank line under the subject: add one")
    return found


def git(*words: str) -> str | None:
    """Return what git answers, None where it cannot."""
    ran = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout if ran.returncode == 0 else None


def commits() -> list[Commit]:
    """Return the commits since the rule, or skip where there is no history to read."""
    if git("rev-parse", "--is-shallow-repository") != "false\n":
        pytest.skip("no whole git history here: an archive or a shallow clone")
    first = (git("log", "--diff-filter=A", "--format=%H", "--", SELF) or "").split()
    if not first:
        pytest.skip("the rule is not committed yet")
    log = git("log", "--no-merges", "--format=%H%n%B%x00", f"{first[-1]}^..HEAD") or ""
    entries = [entry.strip("\n") for entry in log.split("\0") if entry.strip()]
    return [Commit(*entry.split("\n", 1)) for entry in entries]


SOUND = "Name the journal's damage in one line\n\nThe auditor saw a traceback."
REJECTED = [
    ("x".upper() * 73 + "\n\nWhy.", "73 columns"),
    ("Add a test", "no body"),
    ("Add a test\nbecause", "no blank line"),
    ("Add a test.\n\nWhy.", "full stop"),
    ("WIP records\n\nLater.", "work in progress"),
    ("What hangs on a name\n\nWhy.", "private word"),
]


@pytest.mark.parametrize(("message", "what"), REJECTED)
def test_a_bad_message_is_rejected(message: str, what: str) -> None:
    assert any(what in each for each in wrong(Commit("0" * 40, message)))


def test_a_sound_message_passes() -> None:
    assert wrong(Commit("0" * 40, SOUND)) == []
    assert wrong(Commit("0" * 40, "X" * 72 + "\n\n- why\n- what is left out\n")) == []


def test_commits_since_the_rule_keep_it() -> None:
    found = [
        f"{commit.hash[:9]} {commit.message.splitlines()[0]}: {each}"
        for commit in commits()
        if not any(commit.hash.startswith(known) for known in WAIVED)
        for each in wrong(commit)
    ]
    assert not found, "\n" + "\n".join(found)
