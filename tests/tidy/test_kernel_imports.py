"""The kernel imports what is on this list, and nothing else.

An allow-list, read from the kernel's own syntax tree: a deny-list forgets the module that is added
to Python tomorrow. The list is what the provers read (`docs/STYLE.md`, the provable subset), and
nothing on it can see a clock, a file, or chance.

Rules of the check:

*   `from MODULE import NAME` only. `import MODULE` hides which names are used, and the prover
    refuses modules as values. The one exception is `import icontract` in `contracts.py`.
*   Imports stand at the top level of the module: an import in a function is a door nobody sees.
*   Built-in functions that import, evaluate or open are refused as well.
"""

import ast

import pytest

from tests.tidy.findings import Finding, must_reject, over, show

ANYWHERE = {
    "dataclasses": {"dataclass"},
    "enum": {"IntEnum"},
    "typing": {"Final", "Union", "cast"},
}
CONTRACTS_FILE = "kernel/contracts.py"
# docs/adr/0084: what wraps ``step`` in production.
IN_CONTRACTS = {
    "collections.abc": {"Callable"},
    "functools": {"lru_cache", "partial", "wraps"},
    "icontract": None,
    "typing": {"Any", "cast"},
}
DOORS = {
    "__import__", "breakpoint", "compile", "eval", "exec", "getattr", "globals", "hash", "id",
    "input", "locals", "open", "print", "setattr", "delattr", "vars",
}  # fmt: skip
INSTEAD_IMPORT = (
    "give the value to step() in the event, or move the code to dolphin/ or traces/; "
    "the list itself is changed only with an ADR"
)


def allowed(path: str, module: str, names: list[str]) -> bool:
    """Say whether `from module import names` may stand in the kernel file `path`."""
    if module == "kernel" or module.startswith("kernel."):
        return module != "kernel" or names == []
    if path == CONTRACTS_FILE and module in IN_CONTRACTS:
        wanted = IN_CONTRACTS[module]
        return wanted is None or set(names) <= wanted
    return module in ANYWHERE and set(names) <= ANYWHERE[module]


def kernel_imports(path: str, text: str) -> list[Finding]:
    """Return every import and every built-in door that is not on the list."""
    module = ast.parse(text)
    found = []
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if not (path == CONTRACTS_FILE and alias.name == "icontract"):
                    found.append((node.lineno, f"import {alias.name}", INSTEAD_IMPORT))
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            source = "." * node.level + (node.module or "")
            if node.level or not allowed(path, source, names):
                what = f"from {source} import {', '.join(names)}"
                found.append((node.lineno, what, INSTEAD_IMPORT))
        elif isinstance(node, ast.Name) and node.id in DOORS:
            found.append((node.lineno, f"built-in {node.id}", INSTEAD_IMPORT))
        if isinstance(node, ast.Import | ast.ImportFrom) and node not in module.body:
            found.append((node.lineno, "import below the top level", "import at the top"))
    return [Finding(path, line, what, instead) for line, what, instead in found]


REJECTED = [
    ("import time\n", "import time"),
    ("import os as enum\n", "import os"),
    ("from time import monotonic\n", "from time"),
    ("from functools import partial\n", "from functools"),
    ("from functools import lru_cache\n", "from functools"),
    ("from typing import TYPE_CHECKING\n", "from typing"),
    ("from enum import *\n", "from enum"),
    ("from . import state\n", "from . import"),
    ("from kernel import state\n", "from kernel import"),
    ("from kernelx import state\n", "from kernelx"),
    ("from traces.journal import Writer\n", "from traces.journal"),
    ("from __future__ import annotations\n", "from __future__"),
    ("def f():\n    from kernel.state import State\n", "below the top level"),
    ("x = __import__('os')\n", "__import__"),
    ("x = eval('1')\n", "eval"),
    ("f = open\n", "open"),
    ("import icontract\n", "import icontract"),
]
ALLOWED = [
    ("kernel/state.py", "from dataclasses import dataclass\nfrom enum import IntEnum\n"),
    ("kernel/state.py", "from typing import Final, Union, cast\nfrom kernel.slots import put\n"),
    (CONTRACTS_FILE, "from functools import lru_cache, partial, wraps\nimport icontract\n"),
]


@pytest.mark.parametrize(("text", "what"), REJECTED)
def test_a_foreign_import_is_rejected(text: str, what: str) -> None:
    must_reject(kernel_imports, "kernel/state.py", text, what)


def test_the_contracts_file_has_its_own_short_list() -> None:
    must_reject(kernel_imports, CONTRACTS_FILE, "from functools import reduce\n", "functools")
    must_reject(kernel_imports, CONTRACTS_FILE, "import os\n", "import os")


@pytest.mark.parametrize(("path", "text"), ALLOWED)
def test_what_is_on_the_list_passes(path: str, text: str) -> None:
    assert kernel_imports(path, text) == []


def test_the_kernel_imports_only_what_is_on_the_list() -> None:
    found = over(kernel_imports, ".py", under=("kernel",))
    assert not found, show(found)
