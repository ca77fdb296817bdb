"""UPS's OpenAPI documents, asked by method and path."""

import json
import re
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from hub.sdk.wire import Request

FILES: Final = {
    "/api/rating": ("Rating", "/api"),
    "/api/shipments": ("Shipping", "/api"),
    "/api/labels": ("Shipping", "/api"),
    "/api/track/v1": ("Tracking", "/api"),
    "/api/track/v2": ("UPSTrackAlert", "/api/track/v2"),
    "/security": ("OAuthClientCredentials", ""),
}


class Operation:
    """One operation of one document."""

    def __init__(self, name: str, document: dict[str, Any], pointer: tuple[str, ...]) -> None:
        self._document = document
        self._pointer = pointer
        self.said: dict[str, Any] = _at(document, pointer)
        resource = Resource(contents=document, specification=DRAFT202012)
        self._urn = f"urn:ups:{name}"
        self._registry: Registry[Any] = Registry().with_resource(self._urn, resource)

    def errors(self, place: tuple[str, ...], body: bytes) -> list[str]:
        """What the schema at `place` objects to, and every field that it does not know."""
        pointer = (*self._pointer, *place, "content", "application/json", "schema")
        escaped = "/".join(part.replace("~", "~0").replace("/", "~1") for part in pointer)
        validator = Draft202012Validator({"$ref": f"{self._urn}#/{escaped}"}, registry=self._registry)
        node = json.loads(body)
        found = [f"{error.json_path}: {error.message[:160]}" for error in validator.iter_errors(node)]
        return found + list(self._unknown(_at(self._document, pointer), node, "$"))

    def _unknown(self, schema: dict[str, Any], node: Any, path: str) -> list[str]:
        while "$ref" in schema:
            schema = _at(self._document, tuple(schema["$ref"].removeprefix("#/").split("/")))
        if isinstance(node, list):
            return [one for item in node for one in self._unknown(schema.get("items", {}), item, f"{path}[]")]
        properties = dict(schema.get("properties", {}))
        for part in schema.get("allOf", ()):
            while "$ref" in part:
                part = _at(self._document, tuple(part["$ref"].removeprefix("#/").split("/")))
            properties |= part.get("properties", {})
        properties = {name: {} for name in schema.get("required", ())} | properties
        if not isinstance(node, dict) or not properties:
            return []
        found = [f"{path}.{name} is not in the specification" for name in node if name not in properties]
        for name in node.keys() & properties.keys():
            found += self._unknown(properties[name], node[name], f"{path}.{name}")
        return found


class Specification:
    """All documents that the adapter's calls are in; each is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, dict[str, Any]] = {}

    def document(self, name: str) -> dict[str, Any]:
        """A document. UPS's files hold tabs, and lengths as text."""
        if name not in self._read:
            text = (self._folder / f"{name}.yaml").read_text("utf-8").replace("\t", "  ")
            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            self._read[name] = _mended(yaml.load(text, Loader=loader))
        return self._read[name]

    def operation(self, request: Request) -> Operation:
        """The operation that a request is."""
        name, base = next(found for prefix, found in FILES.items() if request.path.startswith(prefix))
        document = self.document(name)
        for template, methods in document["paths"].items():
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(base + template))
            if re.fullmatch(pattern, request.path) and request.method.lower() in methods:
                return Operation(name, document, ("paths", template, request.method.lower()))
        raise AssertionError(f"{request.method} {request.path} is not in the specification")


def _at(document: dict[str, Any], pointer: tuple[str, ...]) -> dict[str, Any]:
    node: dict[str, Any] = document
    for part in pointer:
        node = node[part]
    return node


def _mended(node: Any) -> Any:
    if isinstance(node, list):
        return [_mended(item) for item in node]
    if not isinstance(node, dict):
        return node
    mended = {}
    for name, value in node.items():
        if name in ("minLength", "maxLength") and isinstance(value, str):
            mended[name] = int(value)
        # "maximum" means occurrences there, and on lists the lengths are those of their items.
        elif not (name in ("minimum", "maximum") and not isinstance(value, dict)):
            mended[str(name)] = _mended(value)
    return mended
