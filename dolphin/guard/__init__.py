"""The order guard (DAL A): lets an order out to the venue against the kernel's permit.

Rules of this package:

*   ``guard`` is a judge without sockets; ``__main__`` is the process around it. It alone holds the
    venue's key: a worker that reaches the venue's socket is told nothing.
*   The guard imports ``kernel`` and ``dolphin.link`` only, never the venue.
"""
