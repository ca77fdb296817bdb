"""Real webhook bodies, broken in every way that bytes and JSON can be, correctly signed so that they get inside."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.proof.crowd import http
from tests.proof.sale import LAMP, Sale

SAMPLES: Final = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "shopify" / "samples"
"""Bodies of the vendor's own documentation, read in place where they are there; else only those of our simulator."""

TOPICS: Final = ("orders/create", "orders/updated", "orders/cancelled", "orders/edited", "refunds/create", "moons/new")

WEIRD: Final[Sequence[Any]] = (
    None, True, 0, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**40, 1e308, -0.0, 0.1, "", " ", "0", "NaN", "null",
    "\x00", "\ud800", "\u202e", "\U0001f600", "a" * 5000, "../../etc/passwd", "'; DROP TABLE inbox; --", "{{7*7}}",
    "2026-13-45T99:99:99Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", [], {}, [[]], [None], {"": ""},
    {"id": {"id": {"id": 1}}}, "1e400", "12.3456789012345678901234567890", "-5.00", "1,50",
)  # fmt: skip
"""Values that somebody once sent."""


def bodies(sale: Sale) -> list[bytes]:
    """What is mutated: the simulator's own, and the vendor's where they are at hand."""
    order = sale.quietly(LAMP, 1)[0]
    books = sale.shop.orders[order]
    own = [sale.shop.body(books, topic) for topic in ("orders/create", "orders/edited")]
    real = [file.read_bytes() for file in sorted(SAMPLES.glob("*/order*.json"))[:20]] if SAMPLES.is_dir() else []
    return own + [body for body in real if len(body) < 200_000]


def mutants(found: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Mutations of bytes and of documents; about one in ten is left as it is."""
    chance = random.Random(seed)
    for _ in range(count):
        body = found[chance.randrange(len(found))]
        kind = chance.random()
        if kind < 0.1:
            yield body
        elif kind < 0.4:
            yield _bytes(body, chance)
        else:
            yield _document(body, chance)


def _bytes(body: bytes, chance: random.Random) -> bytes:
    data = bytearray(body)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) or 1)
        match chance.randrange(6):
            case 0 if data:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                del data[at : at + chance.randint(1, 200)]
            case 2:
                data[at:at] = chance.randbytes(chance.randint(1, 20))
            case 3:
                data[at:at] = data[at : at + chance.randint(1, 400)]
            case 4:
                del data[at:]
            case _:
                data[at:at] = b"[" * chance.randint(1, 3000)
    return bytes(data)


def _document(body: bytes, chance: random.Random) -> bytes:
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return body
    for _ in range(chance.randint(1, 4)):
        places = list(_places(document))
        holder, key = places[chance.randrange(len(places))]
        match chance.randrange(4):
            case 0:
                del holder[key]
            case 1:
                holder[key] = [holder[key]] * chance.randint(0, 3)
            case _:
                holder[key] = WEIRD[chance.randrange(len(WEIRD))]
        if not document:
            break
    try:
        return msgspec.json.encode(document)
    except (msgspec.MsgspecError, UnicodeEncodeError, ValueError, OverflowError):
        # What the encoder does not write, others do: half a surrogate pair, an integer of forty digits.
        return repr(document).replace("'", '"').encode(errors="surrogatepass")


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        yield node, key
        yield from _places(node[key])


def request(sale: Sale, body: bytes, chance: random.Random, number: int) -> bytes:
    """A delivery of a body: signed, under a key of its own, now and then with broken headers."""
    sent = sale.shop.signed(TOPICS[chance.randrange(len(TOPICS))], body, f"fuzz-{number}")
    headers = dict(sent.headers)
    if chance.random() < 0.1:
        # Not its identity: two under one key are one delivery, which another test is about.
        name = chance.choice(sorted(name for name in headers if not name.endswith("-Id")))
        headers[name] = chance.choice(["", "\xff", "x" * 3000, "0", "=?utf-8?q?=00?=", headers[name][:-1]])
    return http("POST", sale.webhooks, body, headers)


async def check(sale: Sale, acknowledged: Sequence[bytes]) -> None:
    """What was acknowledged is kept; all of it is worked on or set aside for a person under a named cause."""
    stored = {row["body"] for row in await sale.house.rows("SELECT body FROM message WHERE connection_id = 'shop'")}
    assert not [body[:200] for body in acknowledged if body not in stored], "every acknowledged delivery is a row"
    rows = await sale.house.rows("SELECT id::text, last_error FROM inbox WHERE parked")
    waiting = {row["ref"] for row in await sale.house.rows("SELECT ref FROM exception_waiter WHERE what = 'message'")}
    assert {row["id"] for row in rows} <= waiting, "what is set aside waits for an exception that somebody sees"
