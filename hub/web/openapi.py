"""The OpenAPI document as it is served: paths and parameters from the framework, bodies and answers from msgspec.

The framework documents errors in a shape of its own and loses constraints inside containers; msgspec writes down
exactly what it enforces.
"""

from collections.abc import Iterator
from typing import Any, Final, get_args, get_origin

import msgspec
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, License, SecurityScheme
from litestar.routes import HTTPRoute

from hub.web.problems import MEDIA_TYPE, ProblemDetails

API: Final = "/api/v1"
REFERENCE: Final = "#/components/schemas/{name}"

ANSWERS: Final = {
    "400": "The body is not JSON, or the query has a parameter that is not known here.",
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
ACCEPTED: Final = "accepted"
"""In the `opt` of a handler that may answer 202: with what."""

UNKEYED: Final = "unkeyed"
"""In the `opt` of a POST that changes nothing: it takes no Idempotency-Key."""

WRITES: Final = frozenset({"post", "put", "patch", "delete"})

Json = dict[str, Any]


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


def document(app: Litestar) -> Json:
    """The whole document."""
    built: Json = app.openapi_schema.to_schema()
    operations = [(path, method, operation, handler) for path, method, operation, handler in _operations(app, built)]
    kinds = {id(handler): _kinds(handler) for _, _, _, handler in operations}
    wanted = [kind for row in kinds.values() for kind in row if kind is not None]
    schemas, definitions = msgspec.json.schema_components([*wanted, ProblemDetails], ref_template=REFERENCE)
    drawn = iter(schemas)
    for path, method, operation, handler in operations:
        body, answer, accepted = kinds[id(handler)]
        if body is not None:
            _put_body(operation, next(drawn), many="many" in handler.opt)
        if handler.status_code == 204:
            operation["responses"]["204"].pop("content", None)
        if answer is not None:
            content = operation["responses"][str(handler.status_code)]["content"]
            content["application/json"] = {"schema": next(drawn)}
        if accepted is not None:
            content = {"application/json": {"schema": next(drawn)}}
            operation["responses"]["202"] = {"description": "Stored; not taken up yet.", "content": content}
        if path.startswith(API):
            _complete(operation, keyed=method in WRITES and UNKEYED not in handler.opt)
    components = built.setdefault("components", {})
    components["schemas"] = components.get("schemas", {}) | definitions
    components["responses"] = {f"Problem{status}": _problem(text) for status, text in ANSWERS.items()}
    components["parameters"] = {"IdempotencyKey": _KEY}
    components["schemas"] = _used(built)
    return built


def _operations(app: Litestar, built: Json) -> Iterator[tuple[str, str, Json, HTTPRouteHandler]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path_format in built["paths"]:
            for method, (handler, _) in route.route_handler_map.items():
                operation = built["paths"][route.path_format].get(method.lower())
                if operation is not None:
                    yield route.path_format, method.lower(), operation, handler


def _kinds(handler: HTTPRouteHandler) -> tuple[Any, Any, Any]:
    """Types of the body, of the answer, and of a 202; None where there is none, or none that is JSON."""
    body = handler.parsed_data_field
    answer: Any = handler.parsed_return_field.annotation
    if get_origin(answer) is Response:
        (answer,) = get_args(answer)
    is_text = answer is str or handler.status_code == 204
    told = None if answer in (None, type(None)) or is_text else answer
    return body.annotation if body else None, told, handler.opt.get(ACCEPTED)


def _put_body(operation: Json, schema: Json, *, many: bool) -> None:
    if many:
        one = schema["items"]
        wrapped = {
            "type": "object",
            "required": ["items"],
            "additionalProperties": False,
            "properties": {"items": schema},
        }
        schema = {"anyOf": [one, wrapped, schema]}
    operation["requestBody"]["content"] = {"application/json": {"schema": schema}}


def _complete(operation: Json, *, keyed: bool) -> None:
    for status in ANSWERS:
        operation["responses"][status] = {"$ref": f"#/components/responses/Problem{status}"}
    operation["security"] = [{"bearer": []}]
    if keyed:
        operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/IdempotencyKey"})


def _problem(text: str) -> Json:
    return {
        "description": text,
        "content": {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(name="ProblemDetails")}}},
    }


_KEY: Final[Json] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeats of the request under the same key get the first answer; nothing is done twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def _used(built: Json) -> Json:
    """The schemas that something refers to: the framework's own drawings of structs are left out."""
    schemas: Json = built["components"]["schemas"]
    prefix = REFERENCE.format(name="")
    found: set[str] = set()
    pending: list[Any] = [built["paths"], built["components"]["responses"]]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            name = str(node.get("$ref", ""))
            if name.startswith(prefix) and name.removeprefix(prefix) not in found:
                found.add(name.removeprefix(prefix))
                pending.append(schemas[name.removeprefix(prefix)])
            pending += node.values()
        elif isinstance(node, list):
            pending += node
    return {name: schemas[name] for name in sorted(found)}
