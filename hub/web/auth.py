"""Who asks, and may they: bearer tokens and roles, checked before anything of the request is read."""

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from hub.store.admin.errors import Fault, Invalid
from hub.store.admin.tokens import PREFIX, Role, find_actor
from hub.web.problems import forbidden, unauthenticated
from hub.web.reading import storable_text
from hub.web.services import Services

NEEDS: Final = "role"
"""Key of a handler's `opt` that names the role it needs; viewer to read and operator to write unless it says more."""

LONGEST_TOKEN: Final = 256


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Authenticate and authorise a request; the actor becomes `request.user`."""
    _drop_empty(connection)
    services: Services = connection.app.state.services
    token = _bearer(connection.headers.get("authorization"))
    async with services.database.connection() as database:
        actor = await find_actor(database, token)
    if actor is None:
        raise unauthenticated("The token is unknown or was revoked; make one with `crossdock token create`")
    reading = connection.scope.get("method") in ("GET", "HEAD")
    needed: Role = handler.opt.get(NEEDS, Role.VIEWER if reading else Role.OPERATOR)
    if not actor.role.reaches(needed):
        raise forbidden(f"This needs the role {needed.value}; the token {actor.name!r} has {actor.role.value}")
    connection.scope["user"] = actor
    _check_address(connection)


def _drop_empty(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """A filter that is left empty is no filter; forms send them all."""
    parts = connection.scope["query_string"].split(b"&")
    connection.scope["query_string"] = b"&".join(part for part in parts if part.find(b"=") != len(part) - 1)


def _bearer(header: str | None) -> str:
    if not header:
        raise unauthenticated("Send `Authorization: Bearer TOKEN`")
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token.startswith(PREFIX) or len(token) > LONGEST_TOKEN:
        raise unauthenticated(f"Send `Authorization: Bearer {PREFIX}...`")
    return token


def _check_address(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Text in paths and queries goes into statements too."""
    faults = [
        Fault("holds a NUL character or half a surrogate pair", parameter=str(name))
        for name, value in (*connection.query_params.multi_items(), *connection.path_params.items())
        if isinstance(value, str) and not storable_text(value)
    ]
    if faults:
        raise Invalid(faults)
