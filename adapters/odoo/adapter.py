"""Odoo: the merchant's ledger, and the warehouses that it keeps, through one connection."""

from typing import Final

from adapters.odoo.adjustments import post_stock
from adapters.odoo.booked import pull_books
from adapters.odoo.facts import movement_facts, quants_facts, receipt_facts, shortfall_facts, transfer_facts
from adapters.odoo.fulfil import cancel_fulfilment, submit_fulfilment
from adapters.odoo.items import pull_items
from adapters.odoo.payments import post_payment
from adapters.odoo.post import post
from adapters.odoo.probe import probe
from adapters.odoo.pulls import pull_movements, pull_returns, pull_status, pull_stock
from adapters.odoo.purchases import pull_supply
from adapters.odoo.settings import OVERLAP_SECONDS, Settings, account, transport
from hub.sdk import item_reads, supply_reads
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Pull, Topic
from hub.sdk.ledger_reads import BOOKS, EVERY_SECONDS, books_facts

ADAPTER: Final = Adapter(
    name="odoo",
    title="Odoo 19",
    kind=Kind.LEDGER,
    settings=Settings,
    account=account,
    transport=transport,
    probe=probe,
    topics={
        BOOKS: Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=books_facts),
        item_reads.ITEM: Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=item_reads.item_facts),
        supply_reads.SUPPLY: Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=supply_reads.supply_facts),
        "transfer": Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=transfer_facts),
        "shortfall": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=shortfall_facts),
        "receipt": Topic(lane=Lane.FACTS, form=Form.EVENT, translate=receipt_facts),
        "quants": Topic(lane=Lane.STOCK, form=Form.SNAPSHOT, translate=quants_facts),
        "movement": Topic(lane=Lane.STOCK, form=Form.EVENT, translate=movement_facts),
    },
    # Without warehouses in the settings all but the first three bring nothing, and ask nothing.
    pulls={
        "books": Pull(pages=pull_books, every_seconds=EVERY_SECONDS, overlap_seconds=0),
        "items": Pull(
            pages=pull_items,
            every_seconds=item_reads.EVERY_SECONDS,
            overlap_seconds=item_reads.OVERLAP_SECONDS,
            resumes=True,
        ),
        "supply": Pull(pages=pull_supply, every_seconds=supply_reads.EVERY_SECONDS, overlap_seconds=0),
        "status": Pull(pages=pull_status, every_seconds=60, overlap_seconds=OVERLAP_SECONDS, resumes=True),
        "returns": Pull(pages=pull_returns, every_seconds=300, overlap_seconds=OVERLAP_SECONDS, resumes=True),
        "movements": Pull(pages=pull_movements, every_seconds=120, overlap_seconds=OVERLAP_SECONDS, resumes=True),
        "stock": Pull(pages=pull_stock, every_seconds=3600, overlap_seconds=0),
    },
    submit_fulfilment=submit_fulfilment,
    cancel_fulfilment=cancel_fulfilment,
    post=post,
    post_payment=post_payment,
    post_stock=post_stock,
    opt_in=frozenset({"post_payment", "post_stock", item_reads.PULL, supply_reads.PULL}),
)
