"""A dropship supplier: purchase orders by file, API or mail; acknowledgements, shipments and stock come back."""

from typing import Final

from adapters.supplier.client import cancel_fulfilment, fetch, probe, pull_files, submit_fulfilment
from adapters.supplier.settings import Settings, account, transport
from adapters.supplier.translate import read_answer, read_levels
from adapters.supplier.webhook import check
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Pull, Topic

ADAPTER: Final = Adapter(
    name="supplier",
    title="Dropship supplier (files, API, mail)",
    kind=Kind.NODE,
    settings=Settings,
    account=account,
    transport=transport,
    check=check,
    topics={
        # Stored whole; the answers in it are stored one by one, and one that is bad is parked alone.
        "message": Topic(lane=Lane.FETCH, form=Form.EVENT, thin=True, fetched_as="answer"),
        "file": Topic(lane=Lane.FETCH, form=Form.EVENT, thin=True, fetched_as="answer"),
        "answer": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=read_answer),
        "levels": Topic(lane=Lane.STOCK, form=Form.SNAPSHOT, translate=read_levels),
    },
    fetch=fetch,
    pulls={"status": Pull(pages=pull_files, every_seconds=60, overlap_seconds=0, consumes=True)},
    probe=probe,
    submit_fulfilment=submit_fulfilment,
    cancel_fulfilment=cancel_fulfilment,
)
