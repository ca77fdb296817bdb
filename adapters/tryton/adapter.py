"""Tryton 8: the merchant's ledger."""

from adapters.tryton.adjustments import post_stock
from adapters.tryton.booked import pull_books
from adapters.tryton.items import pull_items
from adapters.tryton.payments import post_payment
from adapters.tryton.post import post
from adapters.tryton.probe import probe
from adapters.tryton.purchases import pull_supply
from adapters.tryton.settings import Settings, account, transport
from hub.sdk import item_reads, supply_reads
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Pull, Topic
from hub.sdk.ledger_reads import BOOKS, EVERY_SECONDS, books_facts

ADAPTER = Adapter(
    name="tryton",
    title="Tryton 8",
    kind=Kind.LEDGER,
    settings=Settings,
    account=account,
    transport=transport,
    probe=probe,
    topics={
        BOOKS: Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=books_facts),
        item_reads.ITEM: Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=item_reads.item_facts),
        supply_reads.SUPPLY: Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=supply_reads.supply_facts),
    },
    pulls={
        "books": Pull(pages=pull_books, every_seconds=EVERY_SECONDS, overlap_seconds=0),
        "items": Pull(
            pages=pull_items,
            every_seconds=item_reads.EVERY_SECONDS,
            overlap_seconds=item_reads.OVERLAP_SECONDS,
            resumes=True,
        ),
        "supply": Pull(pages=pull_supply, every_seconds=supply_reads.EVERY_SECONDS, overlap_seconds=0),
    },
    post=post,
    post_payment=post_payment,
    post_stock=post_stock,
    opt_in=frozenset({"post_payment", "post_stock", item_reads.PULL, supply_reads.PULL}),
)
