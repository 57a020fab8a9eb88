"""Requirements of the safety-critical parts, and what shows that each is met.

Rules of this package:

*   A requirement is data: the tables in this folder's ``*.toml``. Everything else is computed:
    which code and which models carry it, which tests verify it, what came out when they ran.
*   A test counts when it was executed and passed, and no sooner. An outcome of other sources, or of
    another catalogue, is no outcome.
*   Nothing of the project is imported, and nothing imports this; ``dolphin verify`` starts
    ``python -m certification.requirements`` as a process.

Modules, each above those it uses: ``__main__`` (command line), ``matrix`` (the page), ``exports``
(JSON, SARIF, ReqIF, JUnit), ``gates`` (what is missing, by name), ``links`` (ids in code, models
and tests), ``outcomes`` (what pytest left), ``catalogue`` (the tables), ``identity`` (hashes).
Beside them ``plugin``, which pytest loads.
"""
