"""Query parameters that a call does not know are refused: a filter that is misspelled would answer with everything."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.routes import HTTPRoute

from hub.store.admin.errors import Fault
from hub.web.problems import Refusal

Known = Mapping[BaseRouteHandler, frozenset[str]]

LONGEST_NAME: Final = 100
"""Characters of a name that the answer repeats."""


def known_parameters(app: Litestar) -> Known:
    """What each handler reads of a query, its dependencies' parameters included: the names in the OpenAPI document."""
    return {
        handler: frozenset(parameter.field_alias for parameter in model.expected_query_params)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler, model in route.route_handler_map.values()
    }


async def only_known(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Raises a 400 `Refusal` that names the parameters which the call does not know, and those that it takes."""
    query: bytes = connection.scope["query_string"]
    if not query:
        return
    known: Known = connection.app.state.known_parameters
    takes = known[connection.route_handler]  # a guard is given a copy of the handler
    sent = dict.fromkeys(name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    strange = [name.encode(errors="replace").decode()[:LONGEST_NAME] for name in sent if name not in takes]
    if not strange:
        return
    told = f"it takes {', '.join(sorted(takes))}" if takes else "it takes none"
    raise Refusal(
        400,
        "unknown-parameter",
        "A query parameter is not known",
        f"{connection.scope.get('method')} {connection.url.path} knows no {', '.join(strange)}; {told}",
        faults=tuple(Fault(f"is not known; {told}", parameter=name) for name in strange),
        extra={"parameters": sorted(takes)},
    )
