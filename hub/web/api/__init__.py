"""Every resource of the API, one controller a file."""

from typing import Final

from litestar import Controller

from hub.web.api.adapters import Adapters
from hub.web.api.approvals import Approvals
from hub.web.api.ats import Allowances, AvailableToSell
from hub.web.api.books import Books
from hub.web.api.connection_actions import ConnectionActions
from hub.web.api.connections import Connections
from hub.web.api.customer_links import CustomerLinks
from hub.web.api.exceptions import Exceptions, Queues
from hub.web.api.fulfilments import FulfilmentOrders
from hub.web.api.holds import Holds
from hub.web.api.items import Items, SkuMaps
from hub.web.api.kpis import Kpis
from hub.web.api.mappings import Mappings
from hub.web.api.messages import Messages
from hub.web.api.nodes import Nodes, StockPoints
from hub.web.api.offers import Offers
from hub.web.api.orders import Orders
from hub.web.api.packing import PackingTable
from hub.web.api.pick_ups import PickUps
from hub.web.api.policies import Policies
from hub.web.api.promises import Promises
from hub.web.api.reconciliation import Reconciliation
from hub.web.api.refunds import Refunds
from hub.web.api.reservations import Reservations
from hub.web.api.returns import Returns
from hub.web.api.simulation import Simulation
from hub.web.api.stock import Stock, StockSources, Supply
from hub.web.api.subscriptions import Subscriptions
from hub.web.api.suppliers import PurchaseOrders, SupplierPrices
from hub.web.api.tokens import Tokens
from hub.web.api.transfers import Transfers

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
    StockSources,
    AvailableToSell,
    Allowances,
    Reservations,
    Reconciliation,
    Books,
    Promises,
    Orders,
    Approvals,
    Holds,
    CustomerLinks,
    FulfilmentOrders,
    PurchaseOrders,
    SupplierPrices,
    PackingTable,
    PickUps,
    Offers,
    Transfers,
    Returns,
    Refunds,
    Messages,
    Exceptions,
    Queues,
    Kpis,
    Policies,
    Simulation,
    Subscriptions,
    Tokens,
)
