"""What the verdict of a test depends on, as hashes: the code, and the test's own files.

Rules of this file:

*   That one test kills a mutant hangs on the code, on the files that are no tests (conftest,
    samples, journals), and on the test's own file with those that its text names (``tests.…``).
    A new test elsewhere takes nothing from it.
*   That no test kills a mutant hangs on all of them.

Not here: the rest of a key (``code_run.py``).
"""

import re
from collections.abc import Iterable
from pathlib import Path

from verify.store import key_of, sha256_of_files
from verify.walk import reachable

NAMED = re.compile(r"\btests(?:\.\w+)+")


class Inputs:
    """The hashes of a group's files. Files are read once, when first asked for."""

    def __init__(self, root: Path, patterns: Iterable[str]) -> None:
        self._root = root
        found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
        names = sorted(path.relative_to(root).as_posix() for path in found)
        self.all = sha256_of_files(root, names)
        self._common = sha256_of_files(root, [name for name in names if not _is_test(name)])
        self._of: dict[str, str] = {}
        self._named: dict[str, frozenset[str]] = {}

    def of(self, test: str) -> str:
        """Return the hash of all that the outcome of a test, or of a test file, depends on."""
        file = test.partition("::")[0]
        if file not in self._of:
            # The file and those below tests/ that it names, one naming another.
            own = sorted(reachable(file, self._names))
            self._of[file] = key_of(self._common, file, sha256_of_files(self._root, own))
        return self._of[file]

    def _names(self, file: str) -> frozenset[str]:
        if file not in self._named:
            path = self._root / file
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            # "tests.kernel.test_step.f" names a function: the longest part that is a file counts.
            words = {each.replace(".", "/") for each in NAMED.findall(text)}
            parts = {part for word in words for part in (word, word.rpartition("/")[0])}
            self._named[file] = frozenset(
                f"{part}.py" for part in parts if (self._root / f"{part}.py").is_file()
            )
        return self._named[file]


def _is_test(name: str) -> bool:
    return Path(name).name.startswith("test_") and name.endswith(".py")
