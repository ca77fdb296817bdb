"""The web application, built from what it is given."""

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp

from hub.web import docs_page, events_page, health, openapi
from hub.web.access_log import access_log
from hub.web.api import CONTROLLERS, sign_in
from hub.web.auth import guard
from hub.web.bodies import Body
from hub.web.customer import routes as customer
from hub.web.paging import provide_cut
from hub.web.problems import answer
from hub.web.queries import known_parameters, only_known
from hub.web.services import Services
from hub.web.supplier import routes as supplier

API_BODY_BYTES = 16 * 1024 * 1024
"""Longest body under the API: imports of items and counts of whole warehouses come in one piece."""


def build_routes() -> Litestar:
    """Build the routes, which takes a quarter of a second. They serve nobody until `serve_with` gives them services."""
    api = Router(
        path=openapi.API,
        route_handlers=list(CONTROLLERS),
        guards=[guard, only_known],
        dto=Body,
        dependencies={"cut": Provide(provide_cut, sync_to_thread=False)},
        request_max_body_size=API_BODY_BYTES,
    )
    routes = Litestar(
        route_handlers=[
            api,
            *customer.routes(),
            supplier.routes(),
            *events_page.ROUTES,
            *sign_in.ROUTES,
            *docs_page.ROUTES,
            health.livez,
            health.readyz,
            health.metrics,
        ],
        dependencies={"hub": Provide(_provide_hub, sync_to_thread=False)},
        exception_handlers={HTTPException: answer, Exception: answer},
        openapi_config=openapi.config(),
        logging_config=None,
        debug=False,
    )
    routes.state.known_parameters = known_parameters(routes)
    return routes


def serve_with(routes: Litestar, services: Services) -> ASGIApp:
    """The application of a process. Opens nothing: the database is opened and closed by whoever made it."""
    routes.state.services = services
    return access_log(routes, services.new_id)


def _provide_hub(state: State) -> Services:
    services: Services = state.services
    return services
