"""The AsyncAPI document of the hub's events: made of the table of types and of the structs that are encoded. Pure."""

from typing import Any, Final

import msgspec

from hub.flow.tell import TYPES

Json = dict[str, Any]

MEDIA_TYPE: Final = "application/cloudevents+json"
REFERENCE: Final = "#/components/schemas/{name}"

ABOUT: Final = (
    "Facts of the hub as CloudEvents 1.0 in structured JSON, posted to subscribers as Standard Webhooks 1.0. "
    "At least once, under one id; events of one subject (an order) in the order in which they happened. "
    "Subscribe with POST /api/v1/subscriptions. No event holds personal data."
)

_HEADERS: Final[Json] = {
    "type": "object",
    "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
    "properties": {
        "webhook-id": {"type": "string", "description": "The event's id: the same at every repeat."},
        "webhook-timestamp": {"type": "string", "description": "Seconds since 1970, of this try."},
        "webhook-signature": {
            "type": "string",
            "description": "`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`; two, parted by a space, "
            "while a secret is rotated.",
        },
    },
}


def document() -> Json:
    """The whole document."""
    drawn, schemas = msgspec.json.schema_components([type.data for type in TYPES], ref_template=REFERENCE)
    messages = {
        type.name: {
            "name": type.name,
            "title": type.says,
            "contentType": MEDIA_TYPE,
            "headers": {"$ref": REFERENCE.format(name="WebhookHeaders")},
            "payload": _envelope(type.name, schema),
        }
        for type, schema in zip(TYPES, drawn, strict=True)
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Crossdock events", "version": "1", "description": ABOUT},
        "defaultContentType": MEDIA_TYPE,
        "channels": {
            "events": {
                "address": None,
                "description": "The address that the subscriber named.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            "tell": {
                "action": "send",
                "channel": {"$ref": "#/channels/events"},
                "summary": "The hub posts an event; any 2xx takes it, 410 ends the subscription.",
                "messages": [{"$ref": f"#/channels/events/messages/{name}"} for name in messages],
            }
        },
        "components": {"messages": messages, "schemas": {**schemas, "WebhookHeaders": _HEADERS}},
    }


def _envelope(name: str, data: Json) -> Json:
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string"},
            "source": {"type": "string", "description": "`urn:crossdock:` and the merchant."},
            "type": {"const": name},
            "subject": {"type": "string", "description": "The order."},
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "data": data,
        },
    }
