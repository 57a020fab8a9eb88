"""Drills: what a demonstration does on purpose, so that each refusal and each kill is seen.

``plan`` is the table of the drills, ``driver`` the market's driver with that plan, ``faulty_guard``
and ``faulty_venue`` do wrong when they are told to, ``messages`` is how they are told, and the
package itself, run as a process, is the prober: a worker that asks for what it may not have. Level
E: a session without drills runs none of this.
"""
