"""Magento Open Source and Adobe Commerce: what they can do. Open Source sends no webhooks: everything is pulled."""

from typing import Final

from adapters.magento.availability import BATCH, publish_availability
from adapters.magento.cancels import cancel_order
from adapters.magento.captures import capture_payment
from adapters.magento.client import OVERLAP_SECONDS, probe, pull_open_orders, pull_orders
from adapters.magento.refunds import refund_payment
from adapters.magento.settings import Settings, account, transport
from adapters.magento.shipments import confirm_shipment
from adapters.magento.translate import FUNCTIONS
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Pull, Subtracts, Topic

EVERY_SECONDS: Final = 60
OPEN_EVERY_SECONDS: Final = 6 * 3600

ADAPTER: Final = Adapter(
    name="magento",
    title="Magento / Adobe Commerce",
    kind=Kind.CHANNEL,
    settings=Settings,
    account=account,
    transport=transport,
    topics={"order": Topic(lane=Lane.ORDERS, form=Form.SNAPSHOT, mapping="order")},
    functions=FUNCTIONS,
    pulls={
        "orders": Pull(pages=pull_orders, every_seconds=EVERY_SECONDS, overlap_seconds=OVERLAP_SECONDS, resumes=True),
        "open_orders": Pull(pages=pull_open_orders, every_seconds=OPEN_EVERY_SECONDS, overlap_seconds=0, resumes=True),
    },
    probe=probe,
    confirm_shipment=confirm_shipment,
    cancel_order=cancel_order,
    pays_back_cancelled=True,
    capture_payment=capture_payment,
    refund_payment=refund_payment,
    publish_availability=publish_availability,
    availability_batch=BATCH,
    # What is set is the source's quantity; the store takes off what its own open orders reserve.
    subtracts=Subtracts.OWN_OPEN_ORDERS,
)
