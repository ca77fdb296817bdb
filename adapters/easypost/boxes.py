"""Pure: a label request for several boxes as EasyPost's shipments, one each, and what came of them together."""

from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.easypost import calls
from hub.domain.shipping import BoxLabel, Label, Rate
from hub.sdk.capabilities import LabelRequest, LabelVoid
from hub.sdk.outcomes import Done, Learned, NeedsPerson, Outcome, RetryLater, Unauthorised, Uncertain

BETWEEN: Final = ","
"""Between the ids of shipments that were bought together."""


def of(wanted: LabelRequest) -> list[LabelRequest]:
    """A request for each box, under a key of its own; the declaration of each names what is in it."""
    parcels = (wanted.parcel, *wanted.more_parcels)
    return [
        msgspec.structs.replace(
            nth(wanted, place),
            parcel=parcel,
            more_parcels=(),
            declaration=msgspec.structs.replace(wanted.declaration, goods=parcel.goods)
            if wanted.declaration is not None and len(parcels) > 1
            else wanted.declaration,
        )
        for place, parcel in enumerate(parcels, 1)
    ]


def nth(wanted: LabelRequest, place: int) -> LabelRequest:
    """The request under the key of a box; the first has the request's own."""
    return wanted if place == 1 else msgspec.structs.replace(wanted, key=f"{wanted.key}-box{place}")


def like_the_first(box: LabelRequest, bought: Sequence[Label]) -> LabelRequest:
    """Boxes of one order go the same way, whatever is cheapest for each."""
    if not bought or box.service is not None:
        return box
    return msgspec.structs.replace(box, service=f"{bought[0].carrier} {bought[0].service}")


def summed(offers: Sequence[Sequence[Rate]]) -> tuple[Rate, ...]:
    """What all boxes cost by each service that takes every one of them, in one currency; the cheapest first.

    Of two accounts with one carrier the cheaper counts. All have arrived when the slowest has; that is unknown where
    it is for one of them.
    """
    if len(offers) == 1:
        return tuple(offers[0])
    cheapest: list[dict[tuple[str, str, str], Rate]] = []
    for box in offers:
        by_service: dict[tuple[str, str, str], Rate] = {}
        for rate in sorted(box, key=lambda rate: rate.amount):
            by_service.setdefault((rate.carrier, rate.service, rate.currency), rate)
        cheapest.append(by_service)
    common = set.intersection(*(set(box) for box in cheapest))
    found = [_sum([box[service] for box in cheapest]) for service in common]
    return tuple(sorted(found, key=lambda rate: (rate.currency, rate.amount, rate.id)))


def _sum(rates: Sequence[Rate]) -> Rate:
    days = [rate.delivery_days for rate in rates if rate.delivery_days is not None]
    return msgspec.structs.replace(
        rates[0],
        id=BETWEEN.join(rate.id for rate in rates),
        amount=sum(rate.amount for rate in rates),
        delivery_days=max(days) if len(days) == len(rates) else None,
    )


def cheapest_way(wanted: LabelRequest, offers: Sequence[Rate]) -> LabelRequest | NeedsPerson:
    """The request with the service that is cheapest for all boxes, named before any of them costs money."""
    if not offers:
        return NeedsPerson(
            reason=f"{wanted.key}: no service of any carrier takes all {1 + len(wanted.more_parcels)} boxes",
            next_step="check weights and sizes of the boxes and the carrier accounts at EasyPost",
        )
    mixed = calls.mixed(wanted.key, offers)
    if mixed is not None:
        return mixed
    return msgspec.structs.replace(wanted, service=f"{offers[0].carrier} {offers[0].service}")


def cut_short(wanted: LabelRequest, outcome: Outcome, bought: Sequence[Label]) -> Outcome:
    """What a box that was not bought means for all: those before it are paid, so nothing "surely did not happen"."""
    if not bought or isinstance(outcome, Done | Uncertain):
        return outcome
    before = f"{len(bought)} boxes are bought, the next is not"
    if isinstance(outcome, RetryLater | Unauthorised):
        return Uncertain(reason=f"{before}: {outcome.reason}")
    step = outcome.next_step if isinstance(outcome, NeedsPerson) else "mend what EasyPost names, then retry"
    found_again = f"{step}: those that are bought are found again"
    return _known(wanted, NeedsPerson(reason=f"{before}: {outcome.reason}", next_step=found_again))


def _known(wanted: LabelRequest, told: NeedsPerson) -> NeedsPerson | Uncertain:
    """What a person is asked once boxes are paid. Only a purchase that was looked for is one that may have happened:
    of any other nothing is given back when nobody wants the label any more. So it is looked for first."""
    return told if wanted.look_first else Uncertain(reason=told.reason)


def together(wanted: LabelRequest, bought: Sequence[Label], *, found: bool) -> Outcome:
    """One label for all boxes. Raises nothing: boxes in different currencies cannot be summed and need a person."""
    first, *more = bought
    if any(label.currency != first.currency for label in more):
        spent = ", ".join(f"{label.amount} {label.currency}" for label in bought)
        return _known(
            wanted,
            NeedsPerson(
                reason=f"{wanted.key}: the boxes were bought in different currencies ({spent}, minor units)",
                next_step="void what should not be, by hand, and limit the connection's carrier_accounts",
            ),
        )
    label = msgspec.structs.replace(
        first,
        external_id=BETWEEN.join(one.external_id for one in bought),
        amount=sum(one.amount for one in bought),
        more=tuple(BoxLabel(tracking=one.tracking, url=one.url) for one in more),
    )
    learned = Learned(kind="shipment", ours=wanted.key, theirs=first.external_id)
    return Done(reference=first.external_id, label=label, learned=(learned,), found=found)


def to_void(wanted: LabelVoid) -> list[LabelVoid]:
    """A void for each shipment."""
    names = wanted.external_id.split(BETWEEN)
    return [msgspec.structs.replace(wanted, external_id=name) for name in names]
