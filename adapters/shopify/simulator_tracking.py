"""Tracking that is added to a fulfilment of a simulated shop afterwards."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.shopify.simulator_answers import Node, ref, user_errors

if TYPE_CHECKING:
    from adapters.shopify.simulator import ShopifySimulator

Variables = Mapping[str, Any]


class _Tracking(msgspec.Struct, forbid_unknown_fields=True):
    number: str | None = None
    url: str | None = None
    company: str | None = None
    numbers: list[str] = []
    urls: list[str] = []


def track(shop: "ShopifySimulator", variables: Variables) -> Node:
    """fulfillmentTrackingInfoUpdate: replaces all that was there."""
    id = int(str(variables["id"]).rpartition("/")[2])
    made = next((one for several in shop.fulfilments.values() for one in several if one.id == id), None)
    if made is None:
        errors = user_errors([(("fulfillmentId",), "Fulfillment does not exist.", None)], coded=False)
        return {"fulfillmentTrackingInfoUpdate": {"fulfillment": None, "userErrors": errors}}
    given = msgspec.convert(variables["tracking"], _Tracking)
    made.numbers = tuple(given.numbers or ([given.number] if given.number else ()))
    made.urls = tuple(given.urls or ([given.url] if given.url else ()))
    made.company, made.notified = given.company, variables["notify"]
    return {"fulfillmentTrackingInfoUpdate": {"fulfillment": ref("Fulfillment", id), "userErrors": []}}


TRACKING_HANDLERS: Final[dict[str, Callable[["ShopifySimulator", Variables], Node]]] = {"CrossdockTrack": track}
