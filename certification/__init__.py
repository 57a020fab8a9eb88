"""The evidence report: judges the files that runs leave, and imports none of the code it judges.

Rules of this package:

*   It reads artefacts, never the code that wrote them, and nothing imports it. So a fault in the
    kernel, the journal or the session cannot repeat itself in the judgement of it.
    ``certification/ARTEFACTS.md`` lists the files and the fields.
*   It renders and never retypes: a figure on the page comes from a file whose hash is on the
    page.
*   A claim has one of three states: holds, does not hold, not run. What did not run never counts
    as passed, and an artefact that is missing is a state with a name, never an empty cell.
*   The same files give the same bytes: there is no clock in here.

Modules, each above those it uses: ``__main__`` (command line), ``terminal`` (text), ``page`` and
``page_session`` (HTML), ``html`` (its words), ``plots`` (SVG), ``evidence`` (canonical JSON),
``areas``, ``appendix_b`` and ``gaps`` (tables laid out by hand), ``collectors`` (what is claimed,
from which file), ``claims`` (states and verdicts), ``artefacts`` and ``shapes`` (files, hashes,
shapes).

Not here: running anything. TLC, the tests, the audit and the session are other commands.
"""
