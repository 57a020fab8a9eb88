"""A session: its processes, their supervision, and its summary (level E).

Reading order: ``session`` (the runner), ``supervise`` (supervisord), ``driver`` (bars, in step),
``plan`` (what the built-in session has to show, and when), ``alpha_process``, ``sensors_process``,
``esof_process`` (pure classes of other packages behind a channel), ``collect`` (the account).

Nothing here can make the kernel trade: this package is a client like the others.
"""
