"""Execution: the order guard (DAL A) and the paper venue behind it.

Rules of this package:

*   ``guard`` is a judge without sockets; ``guard_process`` is the loop around it. It alone holds
    the venue's key: a worker that reaches the venue's socket is told nothing.
*   The guard imports ``kernel`` and ``dolphin.link`` only, never the venue.
"""
