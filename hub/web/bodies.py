"""Request bodies: decoded by `reading`, so that every fault is told, and documented as their struct."""

from collections.abc import Collection, Generator
from typing import Any, get_args, get_origin

from litestar import Request
from litestar.dto import AbstractDTO, DTOConfig, DTOFieldDefinition
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from hub.web.problems import Refusal
from hub.web.reading import parse, read


class Body(AbstractDTO[Any]):
    """Reads the handler's `data`. Put on the API's router once; handlers only annotate."""

    config = DTOConfig()

    @classmethod
    def generate_field_definitions(cls, model_type: type[Any]) -> Generator[DTOFieldDefinition, None, None]:
        """Nothing to generate: the struct is the schema."""
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:
        """The struct is the schema."""
        return False

    @classmethod
    def is_supported_model_type_field(cls, field_definition: FieldDefinition) -> bool:
        """Requests only: answers are encoded by the handlers."""
        return False

    @classmethod
    def create_for_field_definition(
        cls, field_definition: FieldDefinition, handler_id: str, backend_cls: Any = None
    ) -> None:
        """Nothing to prepare."""

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: Any
    ) -> Reference | Schema:
        """The schema of the annotated type."""
        schema: Reference | Schema = schema_creator.for_field_definition(field_definition)
        return schema

    def decode_builtins(self, value: dict[str, Any]) -> Any:
        """Forms are not taken."""
        raise unsupported("a form")

    def decode_bytes(self, value: bytes) -> Any:
        """Decode a JSON body to the annotated type; raises `NotJson` and `Invalid`."""
        content_type = self.asgi_connection.headers.get("content-type", "")
        if content_type and "json" not in content_type.lower():
            raise unsupported(content_type.split(";")[0])
        document = parse(value)
        field = self.asgi_connection.route_handler.parsed_data_field
        kind = field.annotation
        if "many" in self.asgi_connection.route_handler.opt and get_origin(kind) is list:
            found, places = _many(get_args(kind)[0], document)
            self.asgi_connection.scope["state"]["places"] = places
            return found
        return read(kind, document)

    def data_to_encodable_type(self, data: Any | Collection[Any]) -> Any:
        """Answers do not pass through here."""
        return data


def unsupported(found: str) -> Refusal:
    """415."""
    return Refusal(415, "unsupported-media-type", "JSON is needed", f"The body must be application/json, not {found}")


def places(request: Request[Any, Any, Any]) -> list[str]:
    """JSON Pointers of the rows of a body that takes one or many."""
    found: list[str] = request.scope["state"]["places"]
    return found


def _many(kind: type[Any], document: object) -> tuple[list[Any], list[str]]:
    """One object, or many as `{"items": [...]}`: small settings are put one at a time, imports all at once."""
    if isinstance(document, dict) and set(document) == {"items"}:
        rows: Any = document["items"]
        found = read(list[kind], rows, "/items")  # type: ignore[valid-type]
        return found, [f"/items/{index}" for index in range(len(found))]
    if isinstance(document, list):
        found = read(list[kind], document)  # type: ignore[valid-type]
        return found, [f"/{index}" for index in range(len(found))]
    return [read(kind, document)], [""]
