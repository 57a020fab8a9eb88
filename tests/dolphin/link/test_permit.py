"""A permit is what the kernel signed, or it is none."""

from dataclasses import fields
from typing import Any

import pytest

from dolphin.link.permit import Permit, permit_of, token_of

KEY, OTHER = bytes(range(32)), bytes(32)
PERMIT = Permit(
    permit_id=7,
    epoch=3,
    worker=2,
    instrument=9,
    side=-1,
    reduce_only=False,
    market=True,
    quantity=40,
    limit_price=0,
    kind=1,
    expires_ns=123_456_789,
)


@pytest.mark.req("GRD-001")
def test_a_token_comes_back_as_its_permit() -> None:
    assert permit_of(token_of(PERMIT, KEY), KEY) == PERMIT


@pytest.mark.req("GRD-001")
@pytest.mark.parametrize("name", [field.name for field in fields(Permit)])
def test_every_field_is_covered(name: str) -> None:
    token = token_of(PERMIT, KEY)
    changed: Any = not token[name] if type(token[name]) is bool else token[name] + 1
    assert permit_of(token | {name: changed}, KEY) is None


@pytest.mark.req("GRD-002")
@pytest.mark.parametrize(
    "token",
    [
        None,
        17,
        [],
        {},
        token_of(PERMIT, OTHER),
        {key: value for key, value in token_of(PERMIT, KEY).items() if key != "mac"},
        token_of(PERMIT, KEY) | {"mac": None},
        token_of(PERMIT, KEY) | {"mac": "ü" * 32},
        token_of(PERMIT, KEY) | {"extra": 1},
        token_of(PERMIT, KEY) | {"quantity": "40"},
        token_of(PERMIT, KEY) | {"quantity": 40.0},
    ],
)
def test_anything_else_is_none(token: Any) -> None:
    assert permit_of(token, KEY) is None
