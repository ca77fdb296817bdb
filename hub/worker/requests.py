"""Build the request of an effect, with the newest facts, and name the capability that sends it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import NamedTuple, TypedDict, assert_never

from hub.domain.contact import Contact
from hub.domain.effects import (
    AdviseStock,
    BuyLabel,
    BuyReturnLabel,
    CancelAtChannel,
    CancelFulfilment,
    CancelLinesAtChannel,
    CapturePayment,
    ConfirmShipment,
    PostCreditNote,
    PostDocument,
    PostPayment,
    PostStock,
    RefundPayment,
    SubmitFulfilment,
    TrackParcels,
    VoidLabel,
    VoidPayment,
)
from hub.domain.fulfilment import fulfilment_id
from hub.domain.network import Node
from hub.flow.aggregate import Order
from hub.flow.cancel_back import line_cancel
from hub.flow.credit import credit_note
from hub.flow.customs import Undeclared
from hub.flow.directory import Directory
from hub.flow.fulfil import cancel_request, fulfilment_request
from hub.flow.pay import capture_request, void_request
from hub.flow.ports import Claimed
from hub.flow.post_payment import payment_entry
from hub.flow.post_to_erp import posting_request
from hub.flow.postage import label_request, packed_in
from hub.flow.refund import refund_request
from hub.flow.return_parcels import return_label_request
from hub.flow.transfer import stock_advice
from hub.flow.write_back import shipment_confirmation, track_request
from hub.sdk.booking import unbalanced
from hub.sdk.capabilities import ChannelCancel, Command, LabelRequest, LabelVoid
from hub.sdk.outcomes import Done, NeedsPerson
from hub.sdk.posting import AdjustedLine, StockAdjustment
from hub.store.dispatch import Loaded


class Call(NamedTuple):
    """A capability and its request."""

    capability: str
    request: Command


class Said(TypedDict):
    """What every request carries."""

    key: str
    look_first: bool
    references: Mapping[str, str]


class Settled(Exception):
    """Nothing is to be sent: what comes of the effect is known without asking anybody."""

    def __init__(self, outcome: Done | NeedsPerson) -> None:
        super().__init__(type(outcome).__name__)
        self.outcome = outcome


def build(claimed: Claimed, loaded: Loaded, directory: Directory) -> Call:
    """The call that an effect means now. Raises `Settled` where there is nothing to call, and KeyError when what it is
    about does not exist."""
    effect = claimed.effect
    said = Said(key=claimed.key, look_first=claimed.look_first, references=loaded.references)
    if isinstance(effect, PostStock):
        return Call("post_stock", _adjustment(effect, loaded.adjusted[claimed.key], directory, said))
    order = loaded.orders[effect.order]
    parts = _Parts(order=order, said=said, loaded=loaded, directory=directory, connection=claimed.connection)
    match effect:
        case SubmitFulfilment() | CancelFulfilment() | AdviseStock():
            return parts.of_nodes(effect)
        case BuyLabel() | BuyReturnLabel() | VoidLabel() | TrackParcels():
            return parts.of_goods(effect)
        case ConfirmShipment() | CancelAtChannel() | CancelLinesAtChannel():
            return parts.of_the_channel(effect)
        case CapturePayment() | VoidPayment() | RefundPayment():
            return parts.of_money(effect)
        case PostDocument() | PostCreditNote() | PostPayment():
            return parts.of_the_books(effect)
        case _:
            assert_never(effect)


def _adjustment(
    effect: PostStock, lines: tuple[AdjustedLine, ...], directory: Directory, said: Said
) -> StockAdjustment:
    dated = datetime.combine(effect.day, time(), UTC)
    return StockAdjustment(node=directory.nodes[effect.node].code, lines=lines, dated=dated, **said)


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What requests of one order are made of."""

    order: Order
    said: Said
    loaded: Loaded
    directory: Directory
    connection: str

    def of_nodes(self, effect: SubmitFulfilment | CancelFulfilment | AdviseStock) -> Call:
        """What nodes are asked for and told."""
        order, said, items = self.order, self.said, self.loaded.items
        fulfilment = order.fulfilments[effect.fulfilment]
        match effect:
            case SubmitFulfilment():
                request = fulfilment_request(
                    order,
                    effect,
                    contacts=self._people,
                    items=items,
                    location=self.directory.location(fulfilment.node, order.merchant),
                    node_of_ours=self._node_of_ours(effect.fulfilment),
                    prices=self.loaded.prices,
                    **said,
                )
                return Call("submit_fulfilment", request)
            case CancelFulfilment():
                return Call("cancel_fulfilment", cancel_request(order, effect, **said))
            case AdviseStock():
                location = self.directory.location(fulfilment.destination or 0, order.merchant)
                ship_from = self._address(fulfilment.node)
                advice = stock_advice(order, effect, items=items, location=location, ship_from=ship_from, **said)
                return Call("advise_stock", advice)

    def of_goods(self, effect: BuyLabel | BuyReturnLabel | VoidLabel | TrackParcels) -> Call:
        """What carriers are asked for."""
        order, said = self.order, self.said
        match effect:
            case BuyLabel() | BuyReturnLabel():
                return Call("buy_label", self._label(effect))
            case VoidLabel():
                return Call("void_label", self._void(effect))
            case TrackParcels():
                return Call("track", track_request(order, effect, **said))

    def _label(self, effect: BuyLabel | BuyReturnLabel) -> LabelRequest:
        order, loaded = self.order, self.loaded
        try:
            if isinstance(effect, BuyReturnLabel):
                there = self._address(order.returns[effect.return_id].node or 0)
                return return_label_request(
                    order, effect, ship_to=there, contacts=self._people, goods=loaded.goods, **self.said
                )
            node = order.fulfilments[effect.fulfilment].node
            several = self.directory.links[self.connection].adapter.several_boxes
            packing, code = self.directory.packing(order.merchant), self.directory.nodes[node].code
            return label_request(
                order,
                effect,
                ship_from=self._address(node),
                contacts=self._people,
                goods=loaded.goods,
                packed=packed_in(order, effect.fulfilment, loaded.goods, packing, code, several=several),
                node_of_ours=self._node_of_ours(effect.fulfilment),
                **self.said,
            )
        except Undeclared as error:
            step = (
                f"{error}. Add it to the item's customs data (PUT /api/v1/items/{error.sku}); labels that wait for it "
                "are bought at once then."
            )
            raise Settled(
                NeedsPerson(kind="customs_data_missing", reason=f"item {error.sku}", next_step=step)
            ) from error

    def _void(self, effect: VoidLabel) -> LabelVoid:
        public = fulfilment_id(effect.order, effect.fulfilment)
        bought = self.loaded.purchases.get(public)
        if bought is not None and bought.external_id is not None:
            return LabelVoid(external_id=bought.external_id, **self.said)
        if bought is None or not bought.pending:
            raise Settled(Done())
        step = "Retry the exception of its purchase first, which only looks for the label now; then this one."
        raise Settled(NeedsPerson(reason=f"{public}: whether a label was bought is not known", next_step=step))

    def of_the_channel(self, effect: ConfirmShipment | CancelAtChannel | CancelLinesAtChannel) -> Call:
        """What the channel is told."""
        order = self.order
        if isinstance(effect, CancelAtChannel):
            cancel = ChannelCancel(order_external_id=order.external_id, reason=effect.reason, **self.said)
            return Call("cancel_order", cancel)
        if isinstance(effect, CancelLinesAtChannel):
            return Call("cancel_lines", line_cancel(order, effect, **self.said))
        node = order.fulfilments[order.shipments[effect.shipment].fulfilment].node
        location = self.directory.point_of_node(order.account, node)
        return Call("confirm_shipment", shipment_confirmation(order, effect, location=location, **self.said))

    def of_money(self, effect: CapturePayment | VoidPayment | RefundPayment) -> Call:
        """What is taken and given back."""
        order, said = self.order, self.said
        match effect:
            case CapturePayment():
                return Call("capture_payment", capture_request(order, effect, **said))
            case VoidPayment():
                return Call("void_payment", void_request(order, effect, **said))
            case RefundPayment():
                return Call("refund_payment", refund_request(order, effect, **said))

    def of_the_books(self, effect: PostDocument | PostCreditNote | PostPayment) -> Call:
        """What is booked. What does not balance is not sent."""
        order, said, customer = self.order, self.said, self._customer
        match effect:
            case PostDocument():
                call = Call("post", posting_request(order, effect, customer=customer, **said))
            case PostCreditNote():
                call = Call("post", credit_note(order, effect, customer=customer, **said))
            case PostPayment():
                call = Call("post_payment", payment_entry(order, effect, customer=customer, **said))
        problem = unbalanced(call.request)
        if problem is not None:
            raise Settled(problem)
        return call

    @property
    def _people(self) -> Mapping[str, Contact]:
        return self.loaded.contacts.get(self.order.id, {})

    @property
    def _customer(self) -> Contact:
        people = self._people
        return people.get("bill") or people.get("ship") or people.get("customer") or Contact()

    def _node_of_ours(self, fulfilment: int) -> Contact | None:
        """Where goods go that are on their way to another node of ours."""
        target = self.order.fulfilments[fulfilment].destination
        return None if target is None else self._address(target)

    def _address(self, node: int) -> Contact:
        place: Node = self.directory.nodes[node]
        return place.address or Contact(company=place.name)
