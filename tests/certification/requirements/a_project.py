"""A small project with requirements: a table, code, a model, a test, and outcomes.

``write`` makes one in which every gate holds; a test then breaks one thing.
"""

import json
from pathlib import Path

from certification.requirements.identity import catalogue_hash, sources_hash

TABLE = """
[defaults]
level = "A"
source = "bible 1"
method = ["test", "model"]

[SYS-001]
text = "The lamp shall obey."
parent = "none"

[KRN-KILL-001]
text = "The lamp shall go out when told."
parent = "SYS-001"

[KRN-KILL-002]
text = "The lamp shall go on when told."
parent = "SYS-001"
method = ["test"]
"""
CODE = '''"""A lamp."""


# KRN-KILL-001
def put_out(lit: bool) -> bool:
    """Put it out."""
    return False


def put_on(lit: bool) -> bool:
    """Put it on: KRN-KILL-002."""
    return True
'''
MODEL = """---- MODULE Lamp ----
\\* KRN-KILL-001
PutOut == lit' = FALSE
PutOn == lit' = TRUE
====
"""
TEST = """import pytest

@pytest.mark.req("KRN-KILL-001")
def test_out():
    pass

@pytest.mark.req("KRN-KILL-002", "SYS-001")
def test_on():
    pass
"""
PASSED = {
    "tests/test_lamp.py::test_out": ["KRN-KILL-001"],
    "tests/test_lamp.py::test_on": ["KRN-KILL-002", "SYS-001"],
}


def tables(root: Path) -> Path:
    """Return the folder of the tables."""
    return root / "certification" / "requirements"


def put(root: Path, name: str, text: str) -> None:
    """Write one file."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def record(root: Path, outcomes: dict[str, str] | None = None) -> None:
    """Leave what the plugin would leave; ``outcomes`` by test, passed where not named."""
    tests = {
        name: {
            "requirements": ids,
            "outcome": (outcomes or {}).get(name, "passed"),
            "finished": "2026-01-01T00:00:00+00:00",
        }
        for name, ids in PASSED.items()
        if (outcomes or {}).get(name) != "absent"
    }
    document = {
        "schema": 1,
        "catalogue": catalogue_hash(tables(root)),
        "sources": sources_hash(root),
        "started": "2026-01-01T00:00:00+00:00",
        "finished": "2026-01-01T00:00:01+00:00",
        "exit_status": 0,
        "tests": tests,
    }
    put(root, "build/requirements.json", json.dumps(document))


def write(root: Path) -> Path:
    """Write a project in which every gate holds."""
    put(root, "certification/requirements/lamp.toml", TABLE)
    put(root, "kernel/lamp.py", CODE)
    put(root, "spec/tla/Lamp.tla", MODEL)
    put(root, "tests/test_lamp.py", TEST)
    record(root)
    return root
