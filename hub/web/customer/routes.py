"""The customer's page: reached by a signed link alone. Whatever is wrong with a link, the answer is the same."""

from collections.abc import Callable
from typing import Any, Final

import structlog
from litestar import MediaType, Request, Response, Router, get, post
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from hub.domain.customer_link import PATH
from hub.domain.signed_link import BadLink, verify
from hub.domain.states import IllegalMove
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.change_window import Wish
from hub.flow.notices import Notices
from hub.flow.pick_up import ready_for_code
from hub.flow.standing import standing
from hub.store import orders, returns
from hub.store.admin.errors import Invalid, Missing
from hub.store.database import is_weather
from hub.store.events import return_labels
from hub.web.customer import actions
from hub.web.customer.actions import Do
from hub.web.customer.page import HEADERS, STYLE, Offered, ReturnRow, Shown, page, plain
from hub.web.forms import BadForm, Form, submit
from hub.web.reading import storable_text
from hub.web.services import Hub, Services

LONGEST_TOKEN: Final = 300
FORM_BYTES: Final = 16 * 1024
DONE: Final = frozenset({"cancel", "address", "return"})

Asked = Request[Any, Any, Any]


class NoPage(Exception):
    """There is no page under this link, and nobody is told why."""


async def order_of(hub: Services, token: str) -> Order:
    """The order of a link, with what stands beside it. Raises `NoPage`."""
    try:
        if not hub.link_key or len(token) > LONGEST_TOKEN:
            raise NoPage
        id = verify(token, hub.clock(), hub.link_key, *hub.older_link_keys)
    except (BadLink, ValueError) as error:
        raise NoPage from error
    async with hub.database.connection() as connection:
        order = (await orders.by_id(connection, [id], lock=False)).get(id)
        if order is None or order.content is None:
            raise NoPage
        await returns.attach_peers(connection, [order])
    return order


async def _shown(
    hub: Services,
    order: Order,
    *,
    note: str | None = None,
    fault: str | None = None,
    code: tuple[str, str] | None = None,
) -> Shown:
    assert order.content is not None
    async with hub.database.connection() as connection:
        labels = await return_labels(connection, order.id)
    titles = {line.external_id: line.title or line.sku or line.external_id for line in order.content.lines}
    back = actions.may_give_back(order)
    batch = Batch(await hub.directory(), hub.clock(), hub.new_id)
    forms = actions.forms(hub)
    offered = Offered(
        cancel=forms.token(hub, order.id, "cancel") if actions.may(order, Wish.CANCEL, batch) else None,
        address=forms.token(hub, order.id, "address") if actions.may(order, Wish.ADDRESS, batch) else None,
        give_back=forms.token(hub, order.id, "return") if back else None,
        returnable=[(line, titles.get(line, line), units) for line, units in back.items()],
        codes={key: forms.token(hub, order.id, "code") for key in ready_for_code(order, batch)},
    )
    return Shown(
        number=order.number,
        placed=order.placed_at.date().isoformat(),
        groups=standing(order),
        returns=[ReturnRow(one.state.value, labels.get(one.id)) for one in order.returns.values()],
        offered=offered,
        note=note,
        fault=fault,
        code=code,
    )


def words_of(request: Asked, hub: Services) -> Notices:
    """The first language that the browser asks for and that has words."""
    for part in request.headers.get("accept-language", "").split(",")[:20]:
        found = hub.notices.get(part.strip().partition(";")[0].partition("-")[0].lower())
        if found is not None:
            return found
    return hub.notices["en"]


def _html(text: str, status: int = 200) -> Response[str]:
    return Response(text, status_code=status, media_type=MediaType.HTML, headers=dict(HEADERS))


@get("/{token:str}", include_in_schema=False)
async def show(hub: Hub, request: Asked, token: FromPath[str]) -> Response[str]:
    """The page."""
    order, words = await order_of(hub, token), words_of(request, hub)
    done = request.query_params.get("done")
    note = str(getattr(words.page, f"done_{done}")) if done in DONE else None
    return _html(page(await _shown(hub, order, note=note), words, f"{PATH}/{token}"))


Read = Callable[[Form], Do]


async def _submitted(hub: Services, request: Asked, token: str, action: str, reading: Read) -> Response[str]:
    order, words = await order_of(hub, token), words_of(request, hub)
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    fault: str
    try:
        once = actions.forms(hub).once(hub, form.pop("form", ""), order.id, action)
        if not all(storable_text(word) for pair in form.items() for word in pair):
            raise Invalid([])
        do, actor = reading(form), actions.forms(hub).actor(order.id, order.merchant)
        await submit(hub, actor, action, once, lambda work: do(work, order.id))
    except BadForm:
        status, fault = 403, words.page.expired_form
    except Invalid:
        status, fault = 422, words.page.check_input
    except (*actions.TOO_LATE, IllegalMove):
        status, fault = 409, words.page.too_late
    else:
        where = f"{PATH}/{token}?done={action}"
        return Response("", status_code=303, headers={**HEADERS, "location": where}, media_type=MediaType.HTML)
    order = await order_of(hub, token)
    return _html(page(await _shown(hub, order, fault=fault), words, f"{PATH}/{token}"), status)


def _cancelling(form: Form) -> Do:
    return actions.cancel


@post("/{token:str}/cancel", include_in_schema=False)
async def cancel(hub: Hub, request: Asked, token: FromPath[str]) -> Response[str]:
    """Cancel the order."""
    return await _submitted(hub, request, token, "cancel", _cancelling)


@post("/{token:str}/address", include_in_schema=False)
async def address(hub: Hub, request: Asked, token: FromPath[str]) -> Response[str]:
    """Send it elsewhere."""
    return await _submitted(hub, request, token, "address", actions.address)


@post("/{token:str}/return", include_in_schema=False)
async def give_back(hub: Hub, request: Asked, token: FromPath[str]) -> Response[str]:
    """Give something back."""
    return await _submitted(hub, request, token, "return", actions.give_back)


@post("/{token:str}/code", include_in_schema=False, status_code=200)
async def code(hub: Hub, request: Asked, token: FromPath[str]) -> Response[str]:
    """Make a code to collect with, and show it: in this answer, and never again."""
    made: list[str] = []
    group = (await request.form()).get("group")
    told = await _submitted(hub, request, token, "code", lambda form: actions.new_code(form, made))
    if not made or told.status_code != 303:
        return told
    shown = await _shown(hub, await order_of(hub, token), code=(str(group), made[0]))
    return _html(page(shown, words_of(request, hub), f"{PATH}/{token}"))


def answer(request: Asked, error: Exception) -> Response[str]:
    """Whatever goes wrong, as a page. No path goes into the log: it holds the link."""
    hub: Services = request.app.state.services
    words = words_of(request, hub)
    if isinstance(error, NoPage | Missing) or (isinstance(error, HTTPException) and error.status_code < 500):
        return _html(plain(words.page.missing, words.page.missing_text, words.language), 404)
    if not is_weather(error):
        structlog.get_logger("hub.web").error("customer_page_failed", error=type(error).__name__)
    return _html(plain(words.page.failed, words.page.failed_text, words.language), 503)


@get("/o.css", include_in_schema=False)
async def style() -> Response[str]:
    """The page's looks."""
    return Response(STYLE, media_type=MediaType.CSS, headers={"cache-control": "max-age=86400"})


def routes() -> tuple[Router, HTTPRouteHandler]:
    """The pages and their looks."""
    pages = Router(
        path=PATH,
        route_handlers=[show, cancel, address, give_back, code],
        exception_handlers={HTTPException: answer, Exception: answer},
        request_max_body_size=FORM_BYTES,
    )
    return pages, style
