"""Every resource of the API, one controller a file."""

from typing import Final

from litestar import Controller

from hub.web.api.adapters import Adapters
from hub.web.api.connection_actions import ConnectionActions
from hub.web.api.connections import Connections
from hub.web.api.exceptions import Exceptions, Queues
from hub.web.api.fulfilments import FulfilmentOrders
from hub.web.api.items import Items, SkuMaps
from hub.web.api.mappings import Mappings
from hub.web.api.messages import Messages
from hub.web.api.nodes import Nodes, StockPoints
from hub.web.api.orders import Orders
from hub.web.api.policies import Policies
from hub.web.api.stock import AvailableToSell, Reservations, Stock, Supply
from hub.web.api.tokens import Tokens

CONTROLLERS: Final[tuple[type[Controller], ...]] = (
    Adapters,
    Connections,
    ConnectionActions,
    Mappings,
    Items,
    SkuMaps,
    Nodes,
    StockPoints,
    Stock,
    Supply,
    AvailableToSell,
    Reservations,
    Orders,
    FulfilmentOrders,
    Messages,
    Exceptions,
    Queues,
    Policies,
    Tokens,
)
