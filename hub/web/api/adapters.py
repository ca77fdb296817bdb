"""What the hub can speak to, and what each connection's config must say."""

from typing import Any

import msgspec
from litestar import Controller, get
from litestar.params import FromPath

from hub.sdk.adapter import Adapter
from hub.sdk.redaction import hidden_fields
from hub.store.admin.errors import Missing
from hub.store.admin.paging import Page, page
from hub.web.paging import Paged
from hub.web.services import Hub


class AdapterView(msgspec.Struct, frozen=True, kw_only=True):
    """An adapter."""

    name: str
    title: str
    kind: str
    capabilities: list[str]
    pulls: dict[str, int]
    """Scheduled reads and how often they run unless a connection says otherwise, in seconds."""
    config_schema: dict[str, Any]
    """JSON Schema of a connection's config; secret fields carry `x-secret` and are write-only."""


def view(adapter: Adapter) -> AdapterView:
    """An adapter as the API shows it."""
    return AdapterView(
        name=adapter.name,
        title=adapter.title,
        kind=adapter.kind.value,
        capabilities=list(adapter.capabilities),
        pulls={name: pull.every_seconds for name, pull in adapter.pulls.items()},
        config_schema=config_schema(adapter.settings),
    )


def config_schema(settings: type[msgspec.Struct]) -> dict[str, Any]:
    """JSON Schema of a settings struct, the struct itself at the top."""
    (root,), definitions = msgspec.json.schema_components([settings], ref_template="#/$defs/{name}")
    name = root["$ref"].rsplit("/", 1)[1]
    top = dict(definitions.pop(name))
    for secret in hidden_fields(settings):
        top["properties"][secret] = {**top["properties"][secret], "x-secret": True, "writeOnly": True}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **top} | (
        {"$defs": definitions} if definitions else {}
    )


class Adapters(Controller):
    """Adapters."""

    path = "/adapters"
    tags = ("adapters",)

    @get("/", summary="List adapters")
    async def list_adapters(self, hub: Hub, cut: Paged) -> Page[AdapterView]:
        """All adapters that are installed."""
        (after,) = cut.after(str)
        names = [name for name in sorted(hub.adapters) if after is None or name > after]
        return page([view(hub.adapters[name]) for name in names[: cut.limit + 1]], cut, lambda found: (found.name,))

    @get("/{name:str}", summary="Read an adapter")
    async def get_adapter(self, hub: Hub, name: FromPath[str]) -> AdapterView:
        """One adapter."""
        if name not in hub.adapters:
            raise Missing(f"no adapter {name!r}; there are: {', '.join(sorted(hub.adapters))}")
        return view(hub.adapters[name])
