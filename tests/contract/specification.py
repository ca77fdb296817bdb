"""A vendor's OpenAPI or Swagger document, asked by method and path: are requests and answers as it says?"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from hub.sdk.wire import Request


class Specification:
    """`schemas` are the document's named ones; `prefix` is what its paths have before ours.

    Vendors' schemas leave room for more fields than they name: `strangers` does not.
    """

    def __init__(self, document: dict[str, Any], schemas: Mapping[str, Any], prefix: str = "") -> None:
        self.document = document
        self._schemas = schemas
        self._prefix = prefix
        resource = Resource(contents=document, specification=DRAFT4)
        self._registry: Registry[Any] = Registry().with_resource("urn:vendor", resource)

    def operation(self, request: Request) -> dict[str, Any]:
        """The operation of a request. The path with the fewest placeholders counts: "/orders/search" is no order."""
        path = self._prefix + request.path.partition("?")[0]
        for template, methods in sorted(self.document["paths"].items(), key=lambda one: one[0].count("{")):
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path) and request.method.lower() in methods:
                found: dict[str, Any] = methods[request.method.lower()]
                return found
        raise AssertionError(f"{request.method} {path} is not in the specification")

    def errors(self, schema: Mapping[str, Any], document: object) -> list[str]:
        """What the schema says is wrong."""
        pinned = msgspec.json.decode(msgspec.json.encode(schema).replace(b'"#/', b'"urn:vendor#/'))
        validator = Draft4Validator(pinned, registry=self._registry)
        return [f"{error.json_path}: {error.message[:160]}" for error in validator.iter_errors(document)]

    def strangers(self, schema: Mapping[str, Any], document: object, path: str = "$") -> list[str]:
        """Fields that the specification does not know."""
        while "$ref" in schema:
            schema = self._schemas[schema["$ref"].rpartition("/")[2]]
        if isinstance(document, list):
            return [one for row in document for one in self.strangers(schema.get("items", {}), row, f"{path}[]")]
        if not isinstance(document, dict) or "properties" not in schema:
            return []
        known = schema["properties"]
        found = [f"{path}.{name}" for name in document if name not in known]
        inner = [(name, value) for name, value in document.items() if name in known]
        return found + [one for name, value in inner for one in self.strangers(known[name], value, f"{path}.{name}")]

    def faults(self, schema: Mapping[str, Any], document: object) -> list[str]:
        """Both."""
        return self.errors(schema, document) + self.strangers(schema, document)
