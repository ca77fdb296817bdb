"""Build the request of an effect, with the newest facts, and name the capability that sends it."""

from typing import NamedTuple, assert_never

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


def build(claimed: Claimed, loaded: Loaded, directory: Directory) -> Call:
    """The call that an effect means now. Raises KeyError when what it is about does not exist."""
    effect = claimed.effect
    order = loaded.orders[effect.order]
    people = loaded.contacts.get(order.id, {})
    key, look, known = claimed.key, claimed.look_first, loaded.references
    match effect:
        case SubmitFulfilment():
            node = order.fulfilments[effect.fulfilment].node
            return Call(
                "submit_fulfilment",
                fulfilment_request(
                    order,
                    effect,
                    contacts=people,
                    items=loaded.items,
                    location=directory.location(node, order.merchant),
                    key=key,
                    look_first=look,
                    references=known,
                ),
            )
        case CancelFulfilment():
            return Call("cancel_fulfilment", cancel_request(order, effect, key=key, look_first=look, references=known))
        case ConfirmShipment():
            node = order.fulfilments[order.shipments[effect.shipment].fulfilment].node
            location = directory.point_of_node(order.account, node)
            return Call(
                "confirm_shipment",
                shipment_confirmation(order, effect, location=location, key=key, look_first=look, references=known),
            )
        case BuyLabel():
            place = directory.nodes[order.fulfilments[effect.fulfilment].node]
            return Call(
                "buy_label",
                label_request(
                    order,
                    effect,
                    ship_from=place.address or Contact(company=place.name),
                    contacts=people,
                    items=loaded.items,
                    key=key,
                    look_first=look,
                    references=known,
                ),
            )
        case VoidLabel():
            bought = known.get(f"label:{order.id}-{effect.fulfilment}", "")
            return Call("void_label", LabelVoid(key=key, look_first=look, references=known, external_id=bought))
        case TrackParcels():
            return Call("track", track_request(order, effect, key=key, look_first=look, references=known))
        case PostDocument():
            customer = people.get("bill") or people.get("ship") or people.get("customer") or Contact()
            return Call(
                "post",
                posting_request(order, effect, customer=customer, key=key, look_first=look, references=known),
            )
        case CancelAtChannel():
            return Call(
                "cancel_order",
                ChannelCancel(
                    key=key,
                    look_first=look,
                    references=known,
                    order_external_id=order.external_id,
                    reason=effect.reason,
                ),
            )
        case CapturePayment():
            return Call("capture_payment", capture_request(order, effect, key=key, look_first=look, references=known))
        case VoidPayment():
            return Call("void_payment", void_request(order, effect, key=key, look_first=look, references=known))
        case RefundPayment():
            return Call("refund_payment", refund_request(order, effect, key=key, look_first=look, references=known))
        case PostCreditNote():
            customer = people.get("bill") or people.get("ship") or people.get("customer") or Contact()
            return Call(
                "post", credit_note(order, effect, customer=customer, key=key, look_first=look, references=known)
            )
        case BuyReturnLabel():
            place = directory.nodes[order.returns[effect.return_id].node or 0]
            return Call(
                "buy_label",
                return_label_request(
                    order,
                    effect,
                    ship_to=place.address or Contact(company=place.name),
                    contacts=people,
                    items=loaded.items,
                    key=key,
                    look_first=look,
                    references=known,
                ),
            )
        case _:
            assert_never(effect)
