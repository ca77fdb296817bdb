"""How a connection's messages are read: the merchant's overlay and code tables over the shipped mapping."""

import re
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response, get, post, put
from litestar.params import FromPath, JSONBody

from hub.domain.order import OrderSnapshot, Problem
from hub.flow.reading import compile_reader
from hub.mapping.errors import Malformed, MappingFault, Unmapped
from hub.mapping.overlay import check_overlay, compile_overlay
from hub.store.admin import connections, exceptions, mappings
from hub.store.admin.errors import Conflict, Fault, Invalid
from hub.store.admin.mappings import OverlayView, TableView
from hub.store.admin.messages import find_inbound, split_id
from hub.store.admin.paging import Page
from hub.store.admin.tokens import Role
from hub.web.auth import NEEDS
from hub.web.openapi import UNKEYED
from hub.web.reading import read
from hub.web.services import ApiRequest, Hub, Services, Work, commit

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
TABLE_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
LANES: Final = ("orders", "facts", "stock", "fetch", "waiting")


class OverlayBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new version of an overlay, as TOML; empty takes it away."""

    text: Annotated[str, msgspec.Meta(max_length=300_000)]


class PreviewBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to read, and under which overlay; the saved one when none is given."""

    message: Word | None = None
    """Id of a stored message."""
    topic: Word | None = None
    payload: Annotated[str, msgspec.Meta(max_length=5_000_000)] | None = None
    """A body to read instead, with its `topic`."""
    text: Annotated[str, msgspec.Meta(max_length=300_000)] | None = None


class PreviewView(msgspec.Struct, frozen=True, kw_only=True):
    """What the mapping makes of it. Nothing was stored."""

    messages: list[dict[str, Any]]
    """Canonical messages: order snapshots or facts."""
    problems: list[Problem]
    error: str | None
    """Why it cannot be read at all."""


def _refuse_faults(text: str) -> None:
    faults = [Fault(f"{fault.position}: {fault.message}", "/text") for fault in check_overlay(text)] if text else []
    if faults:
        raise Invalid(faults)


async def save_overlay(tx: Work, id: str, text: str) -> OverlayView:
    """Keep a new version and read again what the old one could not."""
    await connections.get_connection(tx.connection, tx.merchant, id, lock=True)
    _refuse_faults(text)
    saved = await mappings.put_overlay(tx.connection, id, text, tx.actor.name)
    found = await exceptions.open_of_connection(tx.connection, tx.merchant, id)
    again = {
        row["id"]: row["kind"]
        for row in found
        if row["kind"] in ("malformed", "unmapped", "overlay_failed", "missing_field")
        or row["kind"].startswith("unmapped_")
    }
    await _again(tx, again)
    return saved


async def save_table(tx: Work, id: str, name: str, document: object) -> TableView:
    """Keep a new version and read again what waited for its words."""
    await connections.get_connection(tx.connection, tx.merchant, id, lock=True)
    if not TABLE_NAME.fullmatch(name):
        raise Invalid([Fault("a table's name is small letters, digits and _", parameter="name")])
    wrapped = isinstance(document, dict) and isinstance(document.get("entries"), dict)
    inner = document["entries"] if wrapped and isinstance(document, dict) else document
    entries = read(dict[str, Word], inner, "/entries" if wrapped else "")
    saved = await mappings.put_table(tx.connection, id, name, entries, tx.actor.name)
    words = {word.casefold() for word in entries}
    found = await exceptions.open_of_connection(tx.connection, tx.merchant, id)
    again = {row["id"]: row["kind"] for row in found if _names(row["kind"], row["cause"], name, words)}
    await _again(tx, again)
    return saved


def _names(kind: str, cause: str, table: str, words: set[str]) -> bool:
    """Whether an exception is about one of these words of this table."""
    if kind not in ("unmapped", f"unmapped_{table}", f"item_{table}_differs"):
        return False
    text = cause.casefold()
    return any(text.endswith((f" {table} {word!r}", f" {word}")) for word in words)


async def _again(tx: Work, kinds: dict[int, str]) -> None:
    await exceptions.close_all(tx.connection, list(kinds), who=tx.who, now=tx.now, retried=True)
    await exceptions.retry_all(tx.connection, kinds, tx.now)
    tx.ring(*LANES)


async def show(hub: Services, merchant: str, id: str, data: PreviewBody) -> PreviewView:
    """Read a body under an overlay, storing nothing."""
    if data.text is not None:
        _refuse_faults(data.text)
    async with hub.database.connection() as connection:
        stored = await connections.get_connection(connection, merchant, id)
        tables = {table.name: table.entries for table in await mappings.get_tables(connection, id)}
        text = data.text if data.text is not None else (await mappings.get_overlay(connection, id)).text
        if data.message is not None:
            found = await find_inbound(connection, merchant, split_id(data.message)[1])
            topic = data.topic or found.topic
            body: bytes = await connection.fetchval("SELECT body FROM message WHERE id = $1", found.number)
        elif data.payload is not None and data.topic is not None:
            topic, body = data.topic, data.payload.encode()
        else:
            raise Invalid([Fault("give a message, or a payload with its topic", "")])
    adapter = hub.adapters.get(stored.adapter)
    if adapter is None or hub.mapping_text is None:
        raise Conflict("no-adapter", f"The adapter {stored.adapter!r} is not installed here")
    try:
        reader = compile_reader(adapter, hub.mapping_text, overlay=compile_overlay(text) if text else None, own=tables)
        made = reader(topic, body)
    except (Unmapped, Malformed, MappingFault) as error:
        return PreviewView(messages=[], problems=[], error=str(error))
    problems = [problem for one in made if isinstance(one, OrderSnapshot) for problem in one.problems]
    return PreviewView(messages=[msgspec.to_builtins(one) for one in made], problems=problems, error=None)


class Mappings(Controller):
    """Overlay and code tables of one connection."""

    path = "/connections/{id:str}"
    tags = ("mappings",)
    opt = {NEEDS: Role.INTEGRATOR}  # noqa: RUF012

    @get("/mapping", summary="Read the overlay", opt={NEEDS: Role.VIEWER})
    async def get_mapping(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> OverlayView:
        """The newest version; version 0 when there is none."""
        async with hub.database.connection() as connection:
            await connections.get_connection(connection, request.user.merchant, id)
            return await mappings.get_overlay(connection, id)

    @put("/mapping", summary="Save a new version of the overlay")
    async def put_mapping(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[OverlayBody]
    ) -> Response[OverlayView]:
        """Checked before it is saved; what could not be read is read again at once."""
        return await commit(hub, request, lambda tx: save_overlay(tx, id, data.text))

    @post("/mapping/preview", summary="Show what a mapping makes of a message", status_code=200, opt={UNKEYED: True})
    async def preview(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[PreviewBody]
    ) -> PreviewView:
        """Store nothing, show everything, people included."""
        return await show(hub, request.user.merchant, id, data)

    @get("/tables", summary="List code tables", opt={NEEDS: Role.VIEWER})
    async def list_tables(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Page[TableView]:
        """The newest version of every table that the merchant made."""
        async with hub.database.connection() as connection:
            await connections.get_connection(connection, request.user.merchant, id)
            return Page(items=await mappings.get_tables(connection, id), next=None)

    @get("/tables/{name:str}", summary="Read a code table", opt={NEEDS: Role.VIEWER})
    async def get_table(self, hub: Hub, request: ApiRequest, id: FromPath[str], name: FromPath[str]) -> TableView:
        """The newest version; version 0 without entries when the merchant made none."""
        async with hub.database.connection() as connection:
            await connections.get_connection(connection, request.user.merchant, id)
            found = await mappings.get_tables(connection, id, name)
        return found[0] if found else TableView(name=name, version=0, entries={}, author=None, created_at=None)

    @put("/tables/{name:str}", summary="Save a new version of a code table")
    async def put_table(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], name: FromPath[str], data: JSONBody[dict[str, Any]]
    ) -> Response[TableView]:
        """`{"entries": {"word": "canonical"}}`, or the words themselves; what waited for them is read again at once."""
        return await commit(hub, request, lambda tx: save_table(tx, id, name, data))
