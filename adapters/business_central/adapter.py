"""Microsoft Dynamics 365 Business Central: the merchant's ledger, and a stock master where it is declared one."""

from adapters.business_central.booked import pull_books
from adapters.business_central.items import pull_items
from adapters.business_central.payments import post_payment
from adapters.business_central.post import post
from adapters.business_central.probe import probe
from adapters.business_central.purchases import pull_supply
from adapters.business_central.settings import Settings, account, transport
from adapters.business_central.stock import LEVELS, fetch, keep_subscriptions, pull_stock
from adapters.business_central.translate import stock_facts
from adapters.business_central.webhook import TOPIC, check
from hub.sdk import item_reads, supply_reads
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Pull, Topic
from hub.sdk.ledger_reads import BOOKS, EVERY_SECONDS, books_facts

ADAPTER = Adapter(
    name="business_central",
    title="Dynamics 365 Business Central",
    kind=Kind.LEDGER,
    settings=Settings,
    account=account,
    transport=transport,
    check=check,
    topics={
        BOOKS: Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=books_facts),
        item_reads.ITEM: Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=item_reads.item_facts),
        supply_reads.SUPPLY: Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=supply_reads.supply_facts),
        TOPIC: Topic(lane=Lane.FETCH, form=Form.EVENT, thin=True, fetched_as=LEVELS),
        LEVELS: Topic(lane=Lane.STOCK, form=Form.SNAPSHOT, translate=stock_facts),
    },
    fetch=fetch,
    pulls={
        "books": Pull(pages=pull_books, every_seconds=EVERY_SECONDS, overlap_seconds=0),
        "items": Pull(
            pages=pull_items, every_seconds=item_reads.EVERY_SECONDS, overlap_seconds=item_reads.OVERLAP_SECONDS
        ),
        "supply": Pull(pages=pull_supply, every_seconds=supply_reads.EVERY_SECONDS, overlap_seconds=0),
        "stock": Pull(pages=pull_stock, every_seconds=900, overlap_seconds=0),
        "subscriptions": Pull(pages=keep_subscriptions, every_seconds=43_200, overlap_seconds=0),
    },
    probe=probe,
    post=post,
    post_payment=post_payment,
    opt_in=frozenset({"post_payment", item_reads.PULL, supply_reads.PULL}),
)
