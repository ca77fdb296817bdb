"""Every resource of the API, one controller a file."""

from litestar import Controller

from hub.web.api.adapters import Adapters
from hub.web.api.connection_actions import ConnectionActions
from hub.web.api.connections import Connections
from hub.web.api.tokens import Tokens

CONTROLLERS: tuple[type[Controller], ...] = (Adapters, Connections, ConnectionActions, Tokens)
