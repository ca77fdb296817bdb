"""Build the request of an effect, with the newest facts, and name the capability that sends it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypedDict, assert_never

from hub.domain.contact import Contact
from hub.domain.effects import (
    BuyLabel,
    BuyReturnLabel,
    CancelAtChannel,
    CancelFulfilment,
    CapturePayment,
    ConfirmShipment,
    PostCreditNote,
    PostDocument,
    RefundPayment,
    SubmitFulfilment,
    TrackParcels,
    VoidLabel,
    VoidPayment,
)
from hub.domain.network import Node
from hub.flow.aggregate import Order
from hub.flow.credit import credit_note
from hub.flow.directory import Directory
from hub.flow.fulfil import cancel_request, fulfilment_request, label_request
from hub.flow.pay import capture_request, void_request
from hub.flow.ports import Claimed
from hub.flow.post_to_erp import posting_request
from hub.flow.refund import refund_request
from hub.flow.return_parcels import return_label_request
from hub.flow.write_back import shipment_confirmation, track_request
from hub.sdk.capabilities import ChannelCancel, Command, LabelVoid
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


def build(claimed: Claimed, loaded: Loaded, directory: Directory) -> Call:
    """The call that an effect means now. Raises KeyError when what it is about does not exist."""
    effect = claimed.effect
    order = loaded.orders[effect.order]
    said = Said(key=claimed.key, look_first=claimed.look_first, references=loaded.references)
    parts = _Parts(order=order, said=said, loaded=loaded, directory=directory)
    match effect:
        case SubmitFulfilment() | CancelFulfilment() | BuyLabel() | BuyReturnLabel() | VoidLabel() | TrackParcels():
            return parts.of_goods(effect)
        case ConfirmShipment() | CancelAtChannel():
            return parts.of_the_channel(effect)
        case CapturePayment() | VoidPayment() | RefundPayment() | PostDocument() | PostCreditNote():
            return parts.of_money(effect)
        case _:
            assert_never(effect)


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What requests of one order are made of."""

    order: Order
    said: Said
    loaded: Loaded
    directory: Directory

    def of_goods(
        self,
        effect: SubmitFulfilment | CancelFulfilment | BuyLabel | BuyReturnLabel | VoidLabel | TrackParcels,
    ) -> Call:
        """What nodes and carriers are asked for."""
        order, said, items = self.order, self.said, self.loaded.items
        match effect:
            case SubmitFulfilment():
                location = self.directory.location(order.fulfilments[effect.fulfilment].node, order.merchant)
                request = fulfilment_request(
                    order,
                    effect,
                    contacts=self._people,
                    items=items,
                    location=location,
                    node_of_ours=self._node_of_ours(effect.fulfilment),
                    **said,
                )
                return Call("submit_fulfilment", request)
            case CancelFulfilment():
                return Call("cancel_fulfilment", cancel_request(order, effect, **said))
            case BuyLabel():
                there = self._address(order.fulfilments[effect.fulfilment].node)
                label = label_request(
                    order,
                    effect,
                    ship_from=there,
                    contacts=self._people,
                    items=items,
                    node_of_ours=self._node_of_ours(effect.fulfilment),
                    **said,
                )
                return Call("buy_label", label)
            case BuyReturnLabel():
                there = self._address(order.returns[effect.return_id].node or 0)
                back = return_label_request(order, effect, ship_to=there, contacts=self._people, items=items, **said)
                return Call("buy_label", back)
            case VoidLabel():
                bought = self.said["references"].get(f"label:{order.id}-{effect.fulfilment}", "")
                return Call("void_label", LabelVoid(external_id=bought, **said))
            case TrackParcels():
                return Call("track", track_request(order, effect, **said))

    def of_the_channel(self, effect: ConfirmShipment | CancelAtChannel) -> Call:
        """What the channel is told."""
        order = self.order
        if isinstance(effect, CancelAtChannel):
            cancel = ChannelCancel(order_external_id=order.external_id, reason=effect.reason, **self.said)
            return Call("cancel_order", cancel)
        node = order.fulfilments[order.shipments[effect.shipment].fulfilment].node
        location = self.directory.point_of_node(order.account, node)
        return Call("confirm_shipment", shipment_confirmation(order, effect, location=location, **self.said))

    def of_money(self, effect: CapturePayment | VoidPayment | RefundPayment | PostDocument | PostCreditNote) -> Call:
        """What is taken, given back and booked."""
        order, said = self.order, self.said
        match effect:
            case CapturePayment():
                return Call("capture_payment", capture_request(order, effect, **said))
            case VoidPayment():
                return Call("void_payment", void_request(order, effect, **said))
            case RefundPayment():
                return Call("refund_payment", refund_request(order, effect, **said))
            case PostDocument():
                return Call("post", posting_request(order, effect, customer=self._customer, **said))
            case PostCreditNote():
                return Call("post", credit_note(order, effect, customer=self._customer, **said))

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
