"""The journal's header: version, limits and opening state.

Rules of this file:

*   The state a journal opens with is not written: ``kernel.state.initial_state`` makes it of the
    header's limits, ledger and clocks. There is nothing in it to forge.
*   Canonical JSON: the bytes follow from the values, so NDJSON loses nothing.
*   The opening ledger is an input: flat (no unrealised profit), its accounts sum to zero, its peak
    and drawdown fit. What it was before this journal is the ledger book's (``traces.ledger``).
*   ``stand_ins`` names, per sensor, what stood in for it; a sensor that is not there was real.

Not here: bytes (``frames``). Source: design 3.6.
"""

import json
import struct
from dataclasses import asdict, dataclass, fields
from typing import Any, get_type_hints

from kernel.constants import CASH_MAX, Profile
from kernel.equity import drawdown
from kernel.state import Ledger, Limits, State, initial_state
from traces.codec import DeltaEncoder, Malformed, canonical
from traces.provenance import constants_hash, kernel_hash, spec_hash, writer_version
from traces.schema import SCHEMA_HASH, SCHEMA_VERSION


# JNL-015
@dataclass(frozen=True)
class Header:
    """A journal's header.

    ``anchor_every`` 0 means that the journal carries no anchors; ``anchor_key`` names their key.
    ``opened`` is a wall-clock reading for people; nothing is computed from it.
    """

    session: str
    opened: str
    schema_version: int
    schema_hash: str
    version: str
    kernel_hash: str
    spec_hash: str
    constants_hash: str
    limits: Limits
    ledger: Ledger
    process_time_ms: int
    market_time_ms: int
    stand_ins: dict[str, str]
    anchor_every: int
    anchor_key: str

    # JNL-016
    def opening_state(self) -> State:
        """Return the state before the first record."""
        return initial_state(self.limits, self.ledger, self.process_time_ms, self.market_time_ms)


def new_header(
    session: str,
    limits: Limits,
    ledger: Ledger,
    process_time_ms: int,
    market_time_ms: int,
    *,
    stand_ins: dict[str, str] | None = None,
    opened: str = "",
    anchor_every: int = 0,
    anchor_key: str = "",
) -> Header:
    """Return a header of this version. Raises ``Malformed`` on a ledger that cannot open."""
    header = Header(
        session=session,
        opened=opened,
        schema_version=SCHEMA_VERSION,
        schema_hash=SCHEMA_HASH,
        version=writer_version(),
        kernel_hash=kernel_hash(),
        spec_hash=spec_hash(),
        constants_hash=constants_hash(),
        limits=limits,
        ledger=ledger,
        process_time_ms=process_time_ms,
        market_time_ms=market_time_ms,
        stand_ins=dict(stand_ins or {}),
        anchor_every=anchor_every,
        anchor_key=anchor_key,
    )
    check_opening(header)
    return header


# JNL-016
def check_opening(header: Header) -> None:
    """Raise ``Malformed`` where the opening ledger is not one that a session may open with."""
    ledger = header.ledger
    if ledger.cash + ledger.contributed + ledger.realised_pnl + ledger.fees != 0:
        raise Malformed("header: ledger: the accounts do not sum to zero")
    if not 0 < ledger.cash <= CASH_MAX:
        raise Malformed(f"header: ledger: cash is {ledger.cash}; expected 1..{CASH_MAX}")
    if ledger.unrealised_pnl != 0:
        raise Malformed("header: ledger: a session opens flat; unrealised_pnl is not 0")
    if ledger.equity_peak < ledger.cash:
        raise Malformed("header: ledger: the peak is below the cash")
    if ledger.drawdown_ppm != drawdown(ledger.equity_peak, ledger.cash):
        raise Malformed("header: ledger: drawdown_ppm does not follow from peak and cash")


def header_data(header: Header) -> dict[str, Any]:
    """Return the header as plain data."""
    data = asdict(header)
    limits = data["limits"]
    limits["profile"] = Profile(limits["profile"]).name
    limits["heartbeat_limit_ms"] = list(limits["heartbeat_limit_ms"])
    return data


def header_bytes(header: Header) -> bytes:
    """Return the header record's body."""
    return canonical(header_data(header))


def _typed(data: Any, cls: type, where: str) -> dict[str, Any]:
    names = [field.name for field in fields(cls)]
    if not isinstance(data, dict) or sorted(data) != sorted(names):
        found = sorted(data) if isinstance(data, dict) else type(data).__name__
        raise Malformed(f"{where}: {found}; expected fields {sorted(names)}")
    for name, hint in get_type_hints(cls).items():
        if hint in (int, bool, str) and type(data[name]) is not hint:
            raise Malformed(f"{where}: {name} is {data[name]!r}; expected {hint.__name__}")
    return data


def _limits(data: Any) -> Limits:
    values = dict(_typed(data, Limits, "header: limits"))
    ages = values["heartbeat_limit_ms"]
    if values["profile"] not in Profile.__members__:
        expected = ", ".join(Profile.__members__)
        raise Malformed(f"header: profile is {values['profile']!r}; expected one of {expected}")
    if not isinstance(ages, list) or [type(age) for age in ages] != [int] * 4:
        raise Malformed("header: heartbeat_limit_ms: four integers expected")
    return Limits(
        **{**values, "profile": Profile[values["profile"]], "heartbeat_limit_ms": tuple(ages)}
    )


def read_header(body: bytes) -> Header:
    """Return the header in a record's body; raises ``Malformed``."""
    try:
        data = json.loads(body)
    except ValueError:
        raise Malformed("header: not JSON") from None
    values = dict(_typed(data, Header, "header"))
    stand_ins = values["stand_ins"]
    if not isinstance(stand_ins, dict) or any(type(v) is not str for v in stand_ins.values()):
        raise Malformed("header: stand_ins: names of sensors and texts expected")
    values["limits"] = _limits(values["limits"])
    values["ledger"] = Ledger(**_typed(values["ledger"], Ledger, "header: ledger"))
    header = Header(**values)
    check_opening(header)
    try:
        again = header_bytes(header)
        DeltaEncoder(header.opening_state())
    except (ValueError, struct.error):
        raise Malformed("header: values out of range") from None
    if again != body:
        raise Malformed("header: not canonical JSON")
    return header
