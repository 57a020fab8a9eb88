"""The contract decorators: what the marks are at run time."""

import pytest

from kernel import contracts


def sample(value: int) -> int:
    return value


@pytest.mark.req("KRN-STEP-014")
def test_a_mark_is_the_function_itself() -> None:
    assert contracts.pure(sample) is sample
    assert contracts.opaque(sample) is sample
    assert contracts.reveal(sample) is sample
