"""Step 4: stored bytes become canonical messages. Pure but for its log; reads stored bytes only, never a vendor."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from hub.domain.facts import (
    UNSTATED,
    AnyFact,
    Fact,
    GoodsArrived,
    GoodsCollected,
    GoodsLost,
    GoodsReturned,
    GoodsShipped,
    SupplyReported,
    UnitsPacked,
    UnitsPicked,
    UnitsShort,
)
from hub.domain.order import OrderSnapshot
from hub.flow.directory import Directory
from hub.flow.ports import Inbound
from hub.flow.trouble import Trouble
from hub.mapping.errors import Malformed, Unmapped
from hub.sdk.adapter import Message

FACTS_TOPIC: Final = "hub:facts"
"""Topic of messages that the hub writes itself: facts that a delivery's answer already told."""

DIRECT_TOPIC: Final = "hub:order"
"""Topic of orders captured through the API: a canonical snapshot."""

_facts = msgspec.json.Decoder(tuple[AnyFact, ...])
_snapshot = msgspec.json.Decoder(OrderSnapshot)


def encode_facts(facts: Sequence[AnyFact]) -> bytes:
    """Body of a facts message."""
    return msgspec.json.encode(facts)


def _timed(message: Message, inbound: Inbound) -> Message:
    """A fact whose sender states no time was true when we heard it, as far as anybody knows."""
    if isinstance(message, Fact) and message.at == UNSTATED:
        return msgspec.structs.replace(message, at=inbound.received_at)
    return message


def _whole(message: Message) -> Message:
    """A message whose quantities can be meant: nobody ships, lacks or gets back less than none. Raises `Malformed`."""
    less = next((units for units in _quantities(message) if units < 0), None)
    if less is not None:
        raise Malformed("quantity", f"{type(message).__name__}.lines", str(less))
    return message


def _quantities(message: Message) -> Iterator[int]:
    match message:
        case GoodsShipped(parcels=parcels):
            yield from (line.quantity for parcel in parcels for line in parcel.lines)
        case (
            UnitsPicked(lines=lines)
            | UnitsPacked(lines=lines)
            | UnitsShort(lines=lines)
            | GoodsCollected(lines=lines)
            | GoodsArrived(lines=lines)
            | GoodsLost(lines=lines)
        ):
            yield from (line.quantity for line in lines)
        case GoodsReturned(lines=returned):
            yield from (line.quantity for line in returned)
        case SupplyReported(lines=expected):
            yield from (line.quantity for line in expected)
        case _:
            return


def normalise(inbound: Inbound, directory: Directory) -> Sequence[Message] | Trouble:
    """Canonical messages of one stored body, or what a person has to mend before it can be read."""
    if inbound.topic == FACTS_TOPIC:
        return _facts.decode(inbound.body)
    link = directory.links.get(inbound.connection)
    if inbound.topic == DIRECT_TOPIC and (link or directory.speaker(inbound.account)):
        return (_snapshot.decode(inbound.body),)
    if link is None:
        # It may only be younger than the configuration in hand: then it is taken again with the next one.
        step = "Make a new connection to the same account; its messages are tried again with it."
        return Trouble("connection_gone", inbound.connection, step)
    try:
        return [_timed(_whole(message), inbound) for message in link.read(inbound.topic, inbound.body)]
    except Unmapped as error:
        step = (
            f"Add the word to the connection's code table: PUT /api/v1/connections/{inbound.connection}/tables/"
            f"{error.kind}. Everything that waits for it is tried again at once."
        )
        return Trouble("unmapped", f"{inbound.connection}: {error.kind} {error.value!r}", step)
    except Malformed as error:
        step = "Look at the message. If the vendor changed its format, adjust the mapping overlay, then replay it."
        return Trouble("malformed", f"{inbound.connection}: {inbound.topic}, {error}", step)
