"""Which modules are level A, read from ``certification/level_a.toml``.

Rules of this file:

*   Every module below the file's packages is listed, or excluded with a reason; what is in neither
    table, in both, or in none of the packages is a finding. Nothing is level A by default, and
    nothing is left out in silence.
*   Whoever measures level-A code (coverage, mutants) asks here which it is.

Not here: why a part has its level (docs/ARCHITECTURE.md).
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

LIST = "certification/level_a.toml"


@dataclass(frozen=True)
class LevelA:
    """The list: packages, level-A modules with what they do there, the others with the reason."""

    packages: tuple[str, ...]
    modules: dict[str, str]
    excluded: dict[str, str]

    def below(self, package: str) -> tuple[str, ...]:
        """Return the level-A modules of one package, in order."""
        return tuple(name for name in self.modules if f"{name}.".startswith(f"{package}."))


def read(root: Path) -> LevelA:
    """Return the list. Raises ``ValueError`` naming the file and what was expected."""
    path = root / LIST
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{LIST}: {error}") from error
    if sorted(document) != ["level_a", "not_level_a", "packages"]:
        raise ValueError(f"{LIST}: expected packages, [level_a] and [not_level_a]")
    tables = document["level_a"], document["not_level_a"]
    for table in tables:
        for name, text in table.items():
            if not isinstance(text, str) or not text.strip():
                raise ValueError(f"{LIST}: {name}: expected a sentence")
    return LevelA(tuple(document["packages"]), *tables)


def modules_of(root: Path, package: str) -> dict[str, str]:
    """Return the file of each module of a package, the package itself included."""
    folder = root.joinpath(*package.split("."))
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        found[".".join(parts)] = path.relative_to(root).as_posix()
    return found


def findings(root: Path) -> list[str]:
    """Return every module that is in neither table, in both, or not there."""
    listed = read(root)
    there: dict[str, str] = {}
    for package in listed.packages:
        there |= modules_of(root, package)
    found = [
        f"{file}: {name} is in neither table of {LIST}; list it, or say why it is not level A"
        for name, file in there.items()
        if name not in listed.modules and name not in listed.excluded
    ]
    both = listed.modules.keys() & listed.excluded.keys()
    found += [f"{LIST}: {name} is in both tables" for name in sorted(both)]
    gone = (listed.modules.keys() | listed.excluded.keys()) - there.keys()
    found += [f"{LIST}: {name}: no such module" for name in sorted(gone)]
    return found
