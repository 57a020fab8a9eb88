"""Mutation: the tests and the models are shown able to fail, one small change at a time.

Rules of this package:

*   A mutant is killed only by something that was executed and did not hold. A tool that broke has
    killed nothing.
*   What lives is a finding, until a test kills it or an argument says why nothing can. An argument
    is bound to the hash of what it speaks about.

``code_*.py``: the Python of level A. ``spec*.py``: the models, read by ``tla.py``. ``trace.py`` and
``forging.py``: journals.
"""
