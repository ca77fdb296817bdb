"""Links that let a customer see an order without logging in."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from litestar import Controller, Response, post
from litestar.params import FromPath, JSONBody

from hub.domain.customer_link import LINK_DAYS, customer_url
from hub.web.api.order_actions import load
from hub.web.services import ApiRequest, Hub, Work, commit


class LinkBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how long."""

    days: Annotated[int, msgspec.Meta(ge=1, le=730)] = LINK_DAYS


class LinkView(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever has it sees the order, and may ask what its customer may ask."""

    url: str
    expires_at: datetime


async def make(tx: Work, id: str, data: LinkBody) -> LinkView:
    """Make a link. Raises `Missing`."""
    order = await load(tx, id)
    until = (tx.now + timedelta(days=data.days)).replace(microsecond=0)
    return LinkView(url=customer_url(tx.hub.settings.address, order.id, until, tx.hub.link_key), expires_at=until)


class CustomerLinks(Controller):
    """The customer's page."""

    path = "/orders"
    tags = ("orders",)

    @post("/{id:str}/link", summary="Make a link for the customer", status_code=200)
    async def make_link(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[LinkBody | None] = None
    ) -> Response[LinkView]:
        """Signed, without personal data, and it ends by itself. Nothing is stored of it, so it cannot be taken back."""
        return await commit(hub, request, lambda tx: make(tx, id, data or LinkBody()))
