"""The web application, built from what it is given."""

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException

from hub.web import docs_page, health, openapi
from hub.web.access_log import access_log
from hub.web.api import CONTROLLERS
from hub.web.auth import guard
from hub.web.bodies import Body
from hub.web.paging import provide_cut
from hub.web.problems import answer
from hub.web.services import Services

API_BODY_BYTES = 16 * 1024 * 1024
"""Longest body under the API: imports of items and counts of whole warehouses come in one piece."""


def create_app(services: Services) -> Litestar:
    """Build the application. Opens nothing: the database is opened and closed by whoever made it."""

    def provide_hub() -> Services:
        return services

    api = Router(
        path=openapi.API,
        route_handlers=list(CONTROLLERS),
        guards=[guard],
        dto=Body,
        dependencies={"cut": Provide(provide_cut, sync_to_thread=False)},
        request_max_body_size=API_BODY_BYTES,
    )
    app = Litestar(
        route_handlers=[api, health.livez, health.readyz, health.metrics, *docs_page.ROUTES],
        dependencies={"hub": Provide(provide_hub, sync_to_thread=False)},
        exception_handlers={HTTPException: answer, Exception: answer},
        openapi_config=openapi.config(),
        state=State({"services": services}),
        logging_config=None,
        debug=False,
    )
    app.asgi_handler = access_log(app.asgi_handler, services.new_id)
    return app
