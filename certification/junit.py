"""pytest's plugin: a JUnit file says of which sources its run was, by hash.

Rules of this file:

*   The hash is the item ``tests``' (``standing.py``), taken before the first test and again after
    the last: a run under which the sources changed is of no sources, and says nothing.
*   It is written by the process that began the run, as a property of the whole file. Without
    ``--junitxml`` nothing is computed.

Not here: what follows from it (``collectors/tests.py``; ``verify/suite.py``).
"""

import pytest
from _pytest.junitxml import xml_key

from certification.standing import ROOT, Now, reads

PROPERTY = "sources_sha256"


def sources_now() -> str:
    """Return the hash of what the tests are made of, as it is."""
    return Now(ROOT).inputs(reads(ROOT)["tests"])


class Sources:
    """The sources of one run, as they were when it began."""

    def __init__(self) -> None:
        """Take the hash."""
        self.begun = sources_now()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the hash to the file, which is written after this."""
        xml = session.config.stash.get(xml_key, None)
        if xml is not None and sources_now() == self.begun:
            xml.add_global_property(PROPERTY, self.begun)


def pytest_configure(config: pytest.Config) -> None:
    """Take the hash in the process that began the run, where a file is asked for."""
    if config.option.xmlpath and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Sources(), "junit-sources")
