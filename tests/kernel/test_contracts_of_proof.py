"""What is said for the prover alone is asked of nobody at run time.

Not here: which contracts run (``test_step.py``), what a mark is (``test_contracts.py``).
"""

import pytest

from kernel.contracts import ensure_proof, require_proof


@pytest.mark.req("KRN-STEP-014")
def test_a_contract_for_the_prover_is_not_evaluated() -> None:
    @require_proof(lambda value: value > 0)
    @ensure_proof(lambda result: result > 0)
    def passed_on(value: int) -> int:
        return value

    assert passed_on(-1) == -1
