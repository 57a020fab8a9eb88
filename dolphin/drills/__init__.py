"""Drills: what a demonstration does on purpose, so that each refusal and each kill is seen.

``plan`` is the table of the drills, ``driver`` the market's driver with that plan, ``conductor``
the runner that does its part of them, ``faulty_guard`` and ``faulty_venue`` do wrong on request,
``messages`` is how they are asked, and the package itself, run as a process, is the prober: a
worker that asks for what it may not have. Level E: a session without drills starts none of these.
"""
