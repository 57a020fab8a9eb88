"""Waivers for functions that are not proved: the reason, and the evidence used instead.

Rules of this file:

*   An entry of ``waivers.toml`` names a function, the hash of its tree (contracts and body, without
    the docstring), the reason and the other evidence. A changed function is excused no more.
*   An entry that does not fit is a finding and excuses nothing.

Not here: how many there may be (``run.py``).
"""

import ast
import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from verify.proof.errors import ProofError
from verify.proof.generate import functions_of

LIST = Path("verify") / "proof" / "waivers.toml"
FIELDS = ("function", "hash", "reason", "evidence")


@dataclass(frozen=True)
class Waiver:
    """One function that is not proved, and why that is covered."""

    function: str
    hash: str
    reason: str
    evidence: str


def hash_of(function: ast.FunctionDef) -> str:
    """Return the hash of a function's tree, contracts and all, without its docstring."""
    copy = functions_of(ast.unparse(function)).__next__()
    if ast.get_docstring(copy) is not None:
        copy.body = copy.body[1:]
    return hashlib.sha256(ast.dump(copy).encode()).hexdigest()[:16]


def waivers(root: Path) -> list[Waiver]:
    """Return the entries. Raises ``ProofError``."""
    try:
        document = tomllib.loads((root / LIST).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ProofError(f"{LIST}: {error}") from error
    found = []
    for number, each in enumerate(document.get("excused", []), 1):
        if sorted(each) != sorted(FIELDS) or not all(isinstance(each[one], str) for one in FIELDS):
            raise ProofError(f"{LIST}: entry {number}: expected {', '.join(FIELDS)} and no more")
        found.append(Waiver(**each))
    return found


def misfits(root: Path, entries: list[Waiver]) -> list[str]:
    """Return a finding for each entry that does not speak of the source as it is."""
    found = []
    for each in entries:
        module, _, name = each.function.rpartition(".")
        path = root.joinpath(*module.split(".")).with_suffix(".py")
        text = path.read_text("utf-8") if path.is_file() else ""
        hashes = {one.name: hash_of(one) for one in functions_of(text)}
        if name not in hashes:
            found.append(f"{LIST}: {each.function}: no such function")
        elif hashes[name] != each.hash:
            found.append(
                f"{LIST}: {each.function}: the function has changed (hash {hashes[name]}, "
                f"waived was {each.hash}): prove it, or waive it again"
            )
        if not (each.reason.strip() and each.evidence.strip()):
            found.append(f"{LIST}: {each.function}: expected a reason and the other evidence")
    return found
