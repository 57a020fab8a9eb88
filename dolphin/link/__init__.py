"""Communication between processes: bounded messages over channels that no peer can block.

Rules of this package:

*   What travels is a message of ``messages``, read strictly (``codec``): bytes that are none are
    told apart, and raise nowhere.
*   A channel carries whole messages, in order, or says that it is closed. Waiting is the loop's
    (``loop``), and ends at a deadline.
*   A role is a path: who may connect to it, and what may be said there, is decided by the listener
    that owns the path, never by what a message says about itself.
*   Nothing here knows what a message means, except ``events`` (messages to kernel events) and
    ``permit`` (the MAC that guard and kernel share a key for).

Unix sockets of type SOCK_SEQPACKET today; rings in sealed memory later, behind ``Channel``.
"""
