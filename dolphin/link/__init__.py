"""Communication between processes: bounded messages over channels that no peer can block.

Rules of this package:

*   A channel carries whole messages, in order, or says that it is closed. It never waits unless the
    caller names how long.
*   A role is a path: who may connect to it, and what may be said there, is decided by the listener
    that owns the path, never by what a message says about itself.
*   Nothing here knows what a message means, except ``events`` (kernel events as messages) and
    ``permit`` (the token that guard and kernel share a key for).

Unix sockets of type SOCK_SEQPACKET today; rings in sealed memory later, behind ``Channel``.
"""
