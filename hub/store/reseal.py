"""Rotation of the secret key: every sealed row is sealed anew under the key that writes, while the hub runs."""

from typing import Final, NamedTuple

from hub.store.database import Database
from hub.store.vault import SealBroken, Vault

BATCH: Final = 50
"""Rows of one transaction: whoever wants one of them waits for milliseconds."""


class Sealed(NamedTuple):
    """Where envelopes stand. The names are part of each envelope's seal."""

    table: str
    key: str
    field: str


SEALED: Final = (
    Sealed("connection", "id", "secrets"),
    Sealed("connection_token", "connection_id", "envelope"),
    Sealed("subscription", "id", "secrets"),
)


class Resealed(NamedTuple):
    """What became of one table's rows."""

    table: str
    resealed: int
    broken: tuple[str, ...]
    """Rows that no key at hand opens, each with the reason; they are left as they are."""


async def reseal(database: Database, vault: Vault, place: Sealed) -> Resealed:
    """Seal what other keys sealed, some rows a transaction. Broken off, it goes on where it was when called again.

    A row is locked while it is sealed anew, so a token that is renewed meanwhile is not overwritten with an older one.
    """
    done, last = 0, ""
    broken: list[str] = []
    # A malformed envelope is stale too: it is named like one whose key is gone.
    stale = (
        f"SELECT {place.key} AS id, {place.field} AS envelope FROM {place.table} WHERE {place.key} > $1 "
        f"AND {place.field} IS NOT NULL AND substring({place.field} FOR length($2::bytea)) <> $2::bytea "
        f"ORDER BY {place.key} LIMIT {BATCH} FOR NO KEY UPDATE"
    )
    write = (
        f"UPDATE {place.table} t SET {place.field} = u.envelope FROM unnest($1::text[], $2::bytea[]) "
        f"AS u(id, envelope) WHERE t.{place.key} = u.id"
    )
    while True:
        async with database.transaction() as connection:
            rows = await connection.fetch(stale, last, vault.written)
            if not rows:
                return Resealed(place.table, done, tuple(broken))
            anew: list[tuple[str, bytes]] = []
            for row in rows:
                where = {"table": place.table, "row": row["id"], "field": place.field}
                try:
                    anew.append((row["id"], vault.seal(vault.open(row["envelope"], **where), **where)))
                except SealBroken as error:
                    broken.append(str(error) if row["id"] in str(error) else f"{place.table} {row['id']}: {error}")
            if anew:
                await connection.execute(write, *map(list, zip(*anew, strict=True)))
            done += len(anew)
            last = rows[-1]["id"]
