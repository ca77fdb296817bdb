"""The supplier's page: reached by a signed link alone. Whatever is wrong with a link, the answer is the same."""

from typing import Any, Final, NamedTuple

import structlog
from litestar import MediaType, Request, Response, Router, get, post
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from hub.domain.fulfilment import split_fulfilment_id
from hub.domain.signed_link import BadLink, verify
from hub.domain.states import IllegalMove
from hub.domain.supplier_link import PATH, supplier_key
from hub.flow.aggregate import Order
from hub.flow.refusal import CannotDo
from hub.store import orders
from hub.store.admin.errors import Conflict, Missing
from hub.store.contacts import contacts
from hub.store.database import is_weather
from hub.web.customer.page import HEADERS
from hub.web.forms import BadForm, sent_before, submit
from hub.web.reading import storable_text
from hub.web.services import Hub, Services
from hub.web.supplier import actions
from hub.web.supplier.actions import BadInput
from hub.web.supplier.page import SAID, Shown, page, plain
from hub.web.supplier.standing import Standing, standing

LONGEST_TOKEN: Final = 300
FORM_BYTES: Final = 64 * 1024
TOO_LATE: Final = "It is too late for this: the order stands as shown below."
EXPIRED: Final = "The form was open for too long, or was sent before. Please look below and try again."

Asked = Request[Any, Any, Any]


class NoPage(Exception):
    """There is no page under this link, and nobody is told why."""


class Found(NamedTuple):
    """What a link leads to."""

    order: Order
    no: int
    standing: Standing
    zone: str


async def find(hub: Services, token: str) -> Found:
    """The purchase order of a link. Raises `NoPage`."""
    try:
        if not hub.link_key or len(token) > LONGEST_TOKEN:
            raise NoPage
        keys = map(supplier_key, (hub.link_key, *hub.older_link_keys))
        id, no = split_fulfilment_id(verify(token, hub.clock(), *keys))
    except (BadLink, ValueError) as error:
        raise NoPage from error
    async with hub.database.connection() as connection:
        order = (await orders.by_id(connection, [id], lock=False)).get(id)
        if order is None or no not in order.fulfilments:
            raise NoPage
        people = (await contacts(connection, [id])).get(id, {})
        wanted = {one.item for one in order.demands.values() if one.item is not None}
        items = await hub.unit(connection).items_by_id(wanted)
    place = (await hub.directory()).nodes.get(order.fulfilments[no].node)
    return Found(order, no, standing(order, no, people, items), place.timezone if place else "UTC")


def _html(text: str, status: int = 200) -> Response[str]:
    return Response(text, status_code=status, media_type=MediaType.HTML, headers=dict(HEADERS))


def _shown(
    hub: Services, found: Found, token: str, *, note: str | None = None, fault: str | None = None, status: int = 200
) -> Response[str]:
    tokens = actions.form_tokens(hub, supplier_key(hub.link_key), found.standing)
    return _html(page(Shown(found.standing, tokens, note, fault), f"{PATH}/{token}"), status)


@get("/{token:str}", include_in_schema=False)
async def show(hub: Hub, request: Asked, token: FromPath[str]) -> Response[str]:
    """The page."""
    return _shown(hub, await find(hub, token), token, note=SAID.get(request.query_params.get("done", "")))


@post("/{token:str}/{action:str}", include_in_schema=False)
async def answer_it(hub: Hub, request: Asked, token: FromPath[str], action: FromPath[str]) -> Response[str]:
    """Accept, refuse, ship, or say whether it could be stopped."""
    found = await find(hub, token)
    if action not in actions.ALLOWED:
        raise NoPage
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    try:
        if not all(storable_text(word) for pair in form.items() for word in pair):
            raise BadInput("Please write plain text")
        forms, order = actions.forms(supplier_key(hub.link_key)), found.order
        actor = forms.actor(found.standing.id, order.merchant)
        once = forms.once(hub, form.pop("form", ""), found.standing.id, action)
        if not await sent_before(hub, actor, action, once):
            facts = actions.facts_of(action, form, found.standing, once, hub.clock(), found.zone)
            await submit(hub, actor, action, once, lambda work: actions.say(work, order.id, found.no, action, facts))
    except BadForm:
        return _shown(hub, await find(hub, token), token, fault=EXPIRED, status=403)
    except BadInput as error:
        return _shown(hub, found, token, fault=str(error), status=422)
    except (CannotDo, Conflict, IllegalMove):
        return _shown(hub, await find(hub, token), token, fault=TOO_LATE, status=409)
    where = f"{PATH}/{token}?done={action}"
    return Response("", status_code=303, headers={**HEADERS, "location": where}, media_type=MediaType.HTML)


def answer(request: Asked, error: Exception) -> Response[str]:
    """Whatever goes wrong, as a page. No path goes into the log: it holds the link."""
    if isinstance(error, NoPage | Missing) or (isinstance(error, HTTPException) and error.status_code < 500):
        return _html(plain("There is nothing here", "The link is not valid, or has ended. Ask us for a new one."), 404)
    if not is_weather(error):
        structlog.get_logger("hub.web").error("supplier_page_failed", error=type(error).__name__)
    return _html(plain("Please try again", "Something went wrong on our side. Nothing is lost."), 503)


def routes() -> Router:
    """The pages; their looks are those of the customer's."""
    return Router(
        path=PATH,
        route_handlers=[show, answer_it],
        exception_handlers={HTTPException: answer, Exception: answer},
        request_max_body_size=FORM_BYTES,
    )
