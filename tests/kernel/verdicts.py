"""Every verdict of ``step`` on seeded walks, as hashes: one process for each way contracts can run.

    python -m tests.kernel.verdicts production|icontract|lean

From each state of a walk the event is answered, and from the same state with one field moved. The
document has four hashes: the answers of the walks, the verdicts on what was moved (the answer, or
that a contract was violated), the texts of the violations, and the verdicts that the predicates
give when they are asked by hand.

Not here: what must be equal to what (``test_contracts.py``).
"""

import dataclasses
import hashlib
import json
import os
import random
import sys
from collections.abc import Callable
from typing import Any

STEPS, WALKS = 250, 4


def moved(rng: random.Random, value: Any) -> Any:
    """Return a state, or a part of one, with one number or truth in it moved."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return type(value)(value) + rng.choice((-1, 1, 1_000))
    if isinstance(value, tuple):
        at = rng.randrange(len(value))
        return (*value[:at], moved(rng, value[at]), *value[at + 1 :])
    field = rng.choice(dataclasses.fields(value)).name
    return dataclasses.replace(value, **{field: moved(rng, getattr(value, field))})


def main(mode: str) -> None:
    """Walk and print the document."""
    if mode != "production":
        os.environ["ICONTRACT_SLOW"] = "true"
    if mode == "lean":
        from tests.lean_contracts import install

        install()
    # Only now: contracts are chosen when the kernel is imported.
    from icontract import ViolationError

    from kernel.constants import Posture, Profile
    from kernel.contracts import PARTS_CHECKED
    from kernel.events import Event
    from kernel.invariants import Inv
    from kernel.outcome import Outcome
    from kernel.promises import outcome_keeps_promises
    from kernel.state import State
    from kernel.step import step, step_bare
    from tests.kernel.sessions import fresh, holding, random_events, until

    def by_hand(state: State, event: Event) -> Outcome:
        if not Inv(state):
            raise ViolationError
        outcome = step_bare(state, event)
        if not outcome_keeps_promises(state, event, outcome):
            raise ViolationError
        return outcome

    hashes = {name: hashlib.sha256() for name in ("answers", "verdicts", "texts", "by_hand")}
    violated = 0

    def judge(answer: Callable[[State, Event], Outcome], state: State, event: Event) -> str:
        nonlocal violated
        try:
            return repr(answer(state, event))
        except ViolationError as broken:
            if answer is step:
                violated += 1
                hashes["texts"].update(str(broken).encode())
            return "violated"

    for walk in range(WALKS):
        profile, rng = list(Profile)[walk % 2], random.Random(walk)
        start = holding(until(Posture.APEX, profile=profile)) if walk < 2 else fresh(profile)
        for state, event, outcome in random_events(walk, STEPS, start):
            hashes["answers"].update(repr(outcome).encode())
            other = moved(rng, state)
            hashes["verdicts"].update(judge(step, other, event).encode())
            hashes["by_hand"].update(judge(by_hand, other, event).encode())
    document = {name: each.hexdigest() for name, each in hashes.items()}
    print(json.dumps({"parts": PARTS_CHECKED, "violated": violated, **document}))


if __name__ == "__main__":
    main(sys.argv[1])
