"""The OpenAPI document as it is served: the framework's, with our problems as the only error shape."""

from typing import Any, Final

import msgspec
from litestar import Litestar
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, License, SecurityScheme

from hub.web.problems import MEDIA_TYPE, Problem

API: Final = "/api/v1"

ANSWERS: Final = {
    "400": "The body is not JSON.",
    "401": "No token, or none that is valid.",
    "403": "The token's role does not reach so far.",
    "404": "There is no such thing.",
    "405": "Not with this method.",
    "409": "It conflicts with the state of things; `type` says how.",
    "413": "The body is too large.",
    "415": "The body is not declared as JSON.",
    "422": "The input cannot be taken; `errors` names every fault.",
    "503": "The database cannot be reached just now. Try again, with the same Idempotency-Key.",
}
WRITES: Final = frozenset({"post", "put", "patch", "delete"})


def config() -> OpenAPIConfig:
    """What the framework is told."""
    return OpenAPIConfig(
        title="Crossdock",
        version="1",
        description="Integration hub and order manager. Lists are `{items, next}`; amounts are minor units.",
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        path="/docs/schema",
        components=Components(
            security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer", description="An API token.")}
        ),
        use_handler_docstrings=True,
    )


def document(app: Litestar) -> dict[str, Any]:
    """The whole document."""
    built: dict[str, Any] = app.openapi_schema.to_schema()
    components = built.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    _, own = msgspec.json.schema_components([Problem], ref_template="#/components/schemas/{name}")
    schemas.update(own)
    components["responses"] = {
        f"Problem{status}": {
            "description": text,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, text in ANSWERS.items()
    }
    components["parameters"] = {
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "Repeats of the request under the same key get the first answer; nothing is done twice.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
    }
    for path, item in built["paths"].items():
        for method, operation in item.items():
            if path.startswith(API) and isinstance(operation, dict):
                _complete(method, operation)
    return built


def _complete(method: str, operation: dict[str, Any]) -> None:
    for status in ANSWERS:
        operation["responses"][status] = {"$ref": f"#/components/responses/Problem{status}"}
    operation["security"] = [{"bearer": []}]
    if method in WRITES:
        operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/IdempotencyKey"})
