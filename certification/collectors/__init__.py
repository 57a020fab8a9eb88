"""The evidence collectors: each derives claims from files; ``judge`` runs them all.

Rules of this package:

*   A collector is a function from ``Inputs`` to claims, without memory and without a clock.
*   The order here is the order on the page. Two claims of one name get a number.

Modules: ``session``, ``audit``, ``models``, ``tests``, ``configuration``, ``verified``.
"""

from dataclasses import replace

from certification.artefacts import Inputs
from certification.claims import Claim
from certification.collectors.audit import audit_claims
from certification.collectors.configuration import configuration_claims
from certification.collectors.models import model_claims
from certification.collectors.session import (
    file_claims,
    session_claims,
    surrounding_claims,
    trade_claims,
)
from certification.collectors.tests import test_claims
from certification.collectors.verified import verified_claims


def judge(inputs: Inputs) -> tuple[Claim, ...]:
    """Return every claim of the report, each with its state, in the order of the page."""
    claims = [
        *session_claims(inputs),
        *file_claims(inputs),
        *trade_claims(inputs),
        *surrounding_claims(inputs),
        *audit_claims(inputs),
        *model_claims(inputs),
        *test_claims(inputs),
        *configuration_claims(inputs),
        *verified_claims(inputs),
    ]
    seen: dict[str, int] = {}
    named = []
    for claim in claims:
        seen[claim.id] = seen.get(claim.id, 0) + 1
        again = seen[claim.id]
        named.append(claim if again == 1 else replace(claim, id=f"{claim.id}-{again}"))
    return tuple(named)
