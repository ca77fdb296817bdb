"""What the API calls `account`: its name as the vendor says it, or the id of a connection to it."""

from typing import NamedTuple

from hub.store.admin.errors import Fault, Invalid
from hub.store.database import PooledConnection


class AccountRow(NamedTuple):
    """An account."""

    id: int
    name: str
    adapter: str


async def accounts_of(connection: PooledConnection, merchant: str) -> list[AccountRow]:
    """All accounts of a merchant."""
    rows = await connection.fetch("SELECT id, name, adapter FROM account WHERE merchant = $1 ORDER BY id", merchant)
    return [AccountRow(*row) for row in rows]


async def find_accounts(
    connection: PooledConnection, merchant: str, names: list[str], pointers: list[str]
) -> list[AccountRow]:
    """The account of each name: "shop.example", "adapter:shop.example", or a connection's id. Raises `Invalid`."""
    rows = await accounts_of(connection, merchant)
    links = await connection.fetch("SELECT id, account_id FROM connection WHERE merchant = $1", merchant)
    by_link = {row["id"]: row["account_id"] for row in links}
    found: list[AccountRow] = []
    faults: list[Fault] = []
    for name, where in zip(names, pointers, strict=True):
        matches = [
            row for row in rows if name in (row.name, f"{row.adapter}:{row.name}") or by_link.get(name) == row.id
        ]
        if len(matches) == 1:
            found.append(matches[0])
        elif matches:
            several = " or ".join(f"{row.adapter}:{row.name}" for row in matches)
            faults.append(Fault(f"names several accounts; say {several}", where))
        else:
            faults.append(Fault(f"no account {name!r}; make a connection to it first", where))
    if faults:
        raise Invalid(faults)
    return found


async def find_account(connection: PooledConnection, merchant: str, name: str, parameter: str) -> AccountRow:
    """The account that a query parameter names. Raises `Invalid`."""
    try:
        (found,) = await find_accounts(connection, merchant, [name], [""])
    except Invalid as error:
        raise Invalid([Fault(fault.detail, parameter=parameter) for fault in error.faults]) from error
    return found
