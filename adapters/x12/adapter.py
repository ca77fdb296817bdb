"""A partner that speaks X12 in files over SFTP: 940, 943 and 997 out; 945, 944, 846, 947 and 997 in."""

from typing import Final

from adapters.x12.client import advise_stock, cancel_fulfilment, fetch, probe, pull_files, submit_fulfilment
from adapters.x12.settings import Settings, account, transport
from adapters.x12.split import ANSWER
from adapters.x12.translate import READERS
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Pull, Topic


def _read(topic: str, lane: Lane, form: Form = Form.EVENT) -> Topic:
    return Topic(lane=lane, form=form, translate=READERS[topic])


ADAPTER: Final = Adapter(
    name="x12",
    title="X12 files over SFTP",
    kind=Kind.NODE,
    settings=Settings,
    account=account,
    transport=transport,
    topics={
        # Stored whole; its transactions are stored one by one, and one that is bad is parked alone.
        "file": Topic(lane=Lane.FETCH, form=Form.EVENT, thin=True, fetched_as="945"),
        "945": _read("945", Lane.FACTS),
        "944": _read("944", Lane.FACTS),
        "944.stock": _read("944.stock", Lane.STOCK),
        "846": _read("846", Lane.STOCK, Form.SNAPSHOT),
        "947": _read("947", Lane.STOCK),
        ANSWER: _read(ANSWER, Lane.FACTS),
        "rows.shipped": _read("rows.shipped", Lane.FACTS),
        "rows.stock": _read("rows.stock", Lane.STOCK),
    },
    fetch=fetch,
    pulls={"status": Pull(pages=pull_files, every_seconds=60, overlap_seconds=0, consumes=True)},
    probe=probe,
    submit_fulfilment=submit_fulfilment,
    cancel_fulfilment=cancel_fulfilment,
    advise_stock=advise_stock,
)
