"""Tryton 8: the merchant's ledger."""

from adapters.tryton.booked import pull_books
from adapters.tryton.payments import post_payment
from adapters.tryton.post import post
from adapters.tryton.probe import probe
from adapters.tryton.settings import Settings, account, transport
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
    topics={BOOKS: Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=books_facts)},
    pulls={"books": Pull(pages=pull_books, every_seconds=EVERY_SECONDS, overlap_seconds=0)},
    post=post,
    post_payment=post_payment,
    opt_in=frozenset({"post_payment"}),
)
