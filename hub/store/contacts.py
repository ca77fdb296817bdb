"""People of orders, as they are now."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from hub.domain.contact import Contact
from hub.store.database import PooledConnection

NEWEST: Final = (
    "SELECT DISTINCT ON (order_id, key) order_id, key, document FROM contact WHERE order_id = ANY($1::text[]) "
    "ORDER BY order_id, key, revision DESC"
)

_contact = msgspec.json.Decoder(Contact)


async def contacts(connection: PooledConnection, ids: Iterable[str]) -> Mapping[str, Mapping[str, Contact]]:
    """The newest contacts of orders, by order and key; every order has an entry. Forgotten ones are left out."""
    people: dict[str, dict[str, Contact]] = {order: {} for order in ids}
    for order, key, document in await connection.fetch(NEWEST, list(people)):
        if document is not None:
            people[order][key] = _contact.decode(document)
    return people
