"""API tokens: shown once, stored as a hash."""

import base64
import hashlib
import os
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from hub.domain.ids import NewId
from hub.store.admin.errors import Missing
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection

PREFIX: Final = "cdk_"
SECRET_BYTES: Final = 32


class Role(StrEnum):
    """What a token may do; each role may do all that stands before it."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    INTEGRATOR = "integrator"
    ADMIN = "admin"

    def reaches(self, needed: "Role") -> bool:
        """Whether this role includes `needed`."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: the token, its role, and the merchant it belongs to."""

    token: str
    name: str
    role: Role
    merchant: str


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its secret."""

    id: str
    name: str
    role: Role
    created_at: datetime
    revoked_at: datetime | None = None


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token just made: the only time its secret is shown."""

    id: str
    name: str
    role: Role
    token: str


async def create_token(
    connection: PooledConnection, *, name: str, role: Role, merchant: str, new_id: NewId, entropy: bytes | None = None
) -> NewToken:
    """Make a token. `entropy` is given by tests only."""
    secret = base64.b32encode(entropy or os.urandom(SECRET_BYTES)).decode().rstrip("=").lower()
    text = PREFIX + secret
    token = NewToken(id=new_id(), name=name, role=role, token=text)
    await connection.execute(
        "INSERT INTO api_token (id, merchant, name, role, hash) VALUES ($1, $2, $3, $4, $5)",
        token.id,
        merchant,
        name,
        role.value,
        digest(text),
    )
    return token


def digest(token: str) -> bytes:
    """What is stored of a token. It has 256 bits of entropy: a slow hash would protect nothing."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


async def find_actor(connection: PooledConnection, token: str) -> Actor | None:
    """Whom a token belongs to; None when it is unknown or revoked."""
    row = await connection.fetchrow(
        "SELECT id, name, role, merchant FROM api_token WHERE hash = $1 AND revoked_at IS NULL", digest(token)
    )
    if row is None:
        return None
    return Actor(token=row["id"], name=row["name"], role=Role(row["role"]), merchant=row["merchant"])


async def list_tokens(connection: PooledConnection, merchant: str, cut: Cut) -> Page[Token]:
    """Tokens of a merchant, the newest first."""
    (after,) = cut.after(str)
    rows = await connection.fetch(
        "SELECT id, name, role, created_at, revoked_at FROM api_token "
        "WHERE merchant = $1 AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        merchant,
        after,
        cut.limit + 1,
    )
    return page([Token(**{**row, "role": Role(row["role"])}) for row in rows], cut, lambda token: (token.id,))


async def revoke_token(connection: PooledConnection, merchant: str, token: str, now: datetime) -> None:
    """End a token at once; raises `Missing`."""
    done = await connection.execute(
        "UPDATE api_token SET revoked_at = coalesce(revoked_at, $3) WHERE id = $1 AND merchant = $2",
        token,
        merchant,
        now,
    )
    if done == "UPDATE 0":
        raise Missing(f"no token {token}")
