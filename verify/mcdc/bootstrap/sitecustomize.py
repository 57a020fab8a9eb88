"""Installs the instrument in a child process of a marked test (`verify/mcdc/child.py`).

The environment's own `sitecustomize`, which this one stands before, is run after it.
"""

import importlib
import importlib.util
import sys
from importlib.machinery import PathFinder
from pathlib import Path

_here = Path(__file__).resolve().parent
# The instrument's own name, wherever its folder lies: as far up as there are packages.
_root, _name = _here.parent.parent, _here.parent.name
while (_root / "__init__.py").is_file():
    _root, _name = _root.parent, f"{_root.name}.{_name}"
sys.path.insert(0, str(_root))
try:
    _child = importlib.import_module(f"{_name}.child")
finally:
    del sys.path[0]

_child.begin()

_rest = [entry for entry in sys.path if Path(entry).resolve() != _here]
_next = PathFinder.find_spec(__name__, _rest)
if _next is not None and _next.loader is not None:
    _next.loader.exec_module(importlib.util.module_from_spec(_next))
