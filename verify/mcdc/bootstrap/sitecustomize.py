"""Installs the instrument in a child process of a marked test (`verify/mcdc/child.py`).

The environment's own `sitecustomize`, which this one stands before, is run after it.
"""

import importlib.util
import sys
from importlib.machinery import PathFinder
from pathlib import Path

_here = Path(__file__).resolve().parent
sys.path.insert(0, str(_here.parent.parent))
try:
    from verify.mcdc.child import begin
finally:
    del sys.path[0]

begin()

_rest = [entry for entry in sys.path if Path(entry).resolve() != _here]
_next = PathFinder.find_spec(__name__, _rest)
if _next is not None and _next.loader is not None:
    _next.loader.exec_module(importlib.util.module_from_spec(_next))
