"""Order files: CSV and JSON, dropped over SFTP or uploaded."""

from typing import Final

from adapters.order_files.client import confirm_shipment, fetch, probe, publish_availability, pull_orders
from adapters.order_files.settings import Settings, account, transport
from adapters.order_files.webhook import check
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Pull, Topic

ADAPTER: Final = Adapter(
    name="order_files",
    title="Order files (CSV, JSON)",
    kind=Kind.CHANNEL,
    settings=Settings,
    account=account,
    transport=transport,
    check=check,
    topics={
        # Stored whole; what it holds is stored order by order, and a row that belongs to none is parked alone.
        "file": Topic(lane=Lane.FETCH, form=Form.EVENT, thin=True, fetched_as="order"),
        "order": Topic(lane=Lane.ORDERS, form=Form.SNAPSHOT, mapping="order"),
    },
    fetch=fetch,
    pulls={"orders": Pull(pages=pull_orders, every_seconds=30, overlap_seconds=0, consumes=True)},
    probe=probe,
    confirm_shipment=confirm_shipment,
    publish_availability=publish_availability,
    availability_batch=5000,
)
