"""What a drill of the runner's says to the driver fits the message that carries it.

Rules of this file: the message goes through its real codec, as it does on the socket.
"""

from types import SimpleNamespace
from typing import Any

from dolphin.drills.conductor import Conductor
from dolphin.drills.messages import FROM_RUNNER, DoDrill, DrillDone
from dolphin.link.codec import encode
from dolphin.link.messages import TEXT_MAX
from dolphin.ops.operator import NoSession


def test_a_long_detail_is_cut_by_its_sender_and_not_lost() -> None:
    sent: list[bytes] = []

    def account() -> Any:
        raise NoSession("x\udcff" * TEXT_MAX)

    conductor: Any = Conductor.__new__(Conductor)
    conductor.operator = SimpleNamespace(account=account)
    conductor.driver = SimpleNamespace(tell=lambda message: sent.append(encode(message)))
    conductor._progress = lambda text: None
    conductor.take(DoDrill(name="kill"))
    (data,) = sent
    heard = FROM_RUNNER.decode(data)
    assert isinstance(heard, DrillDone)
    assert heard.name == "kill"
    assert len(heard.detail) == TEXT_MAX
