"""`/asyncapi.json`, and `/docs/events`: the same as a page, made here, with nothing from another host."""

from html import escape
from typing import Final

import msgspec
from litestar import MediaType, Response, get

from hub.flow.tell import TYPES, EventType
from hub.web.asyncapi import ABOUT, document

POLICY: Final = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"


def page() -> str:
    """Every type with its data."""
    definitions = document()["components"]["schemas"]
    rows = "\n".join(_row(type, definitions) for type in TYPES)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<title>Crossdock events</title><link rel="stylesheet" href="/docs/page.css"></head><body>'
        f'<h1>Crossdock events</h1><p>{escape(ABOUT)}</p><p><a href="/asyncapi.json">asyncapi.json</a> '
        f'<a href="/docs">API</a></p>{rows}</body></html>\n'
    )


def _row(type: EventType, definitions: dict[str, dict[str, object]]) -> str:
    schema = msgspec.json.format(msgspec.json.encode(definitions[type.data.__name__]), indent=2).decode()
    return (
        f"<details><summary><code>{escape(type.name)}</code> {escape(type.says)}</summary>"
        f"<pre>{escape(schema)}</pre></details>"
    )


@get("/asyncapi.json", include_in_schema=False)
async def asyncapi_json() -> Response[bytes]:
    """The reference of events."""
    return Response(msgspec.json.encode(document()), media_type=MediaType.JSON)


@get("/docs/events", include_in_schema=False)
async def events() -> Response[str]:
    """The reference of events as a page."""
    return Response(page(), media_type=MediaType.HTML, headers={"Content-Security-Policy": POLICY})


ROUTES: Final = (asyncapi_json, events)
