"""Open a connection's settings: the only place that turns sealed secrets into an adapter's struct."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from hub.sdk.adapter import Adapter
from hub.sdk.auth import Token
from hub.store.database import Database
from hub.store.vault import Vault

TABLE: Final = "connection"
SECRETS_FIELD: Final = "secrets"
TOKEN_LEASE: Final = timedelta(seconds=8)
"""Longer than a token endpoint is waited for; of a worker killed meanwhile the others must not wait half a minute."""


class SettingsBroken(Exception):
    """A connection's stored config no longer fits its adapter."""


class Credentials:
    """Reads connections' settings."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self.database = database
        self.vault = vault

    async def settings(self, connection: str, adapter: Adapter) -> msgspec.Struct:
        """The adapter's settings of a connection, secrets included. Raises `SettingsBroken`."""
        async with self.database.connection() as link:
            row = await link.fetchrow("SELECT config, secrets FROM connection WHERE id = $1", connection)
        if row is None:
            raise SettingsBroken(f"connection {connection} is gone")
        values = msgspec.json.decode(row["config"], type=dict[str, object])
        if row["secrets"]:
            values |= self.vault.open(row["secrets"], table=TABLE, row=connection, field=SECRETS_FIELD)
        try:
            return msgspec.convert(values, adapter.settings)
        except msgspec.ValidationError as error:
            raise SettingsBroken(f"connection {connection}: {error}; correct its config") from error


class StoredTokens:
    """A connection's OAuth token in Postgres: one process renews it under a lease, a new pair is durable before use."""

    def __init__(self, database: Database, vault: Vault, connection: str) -> None:
        self.database = database
        self.vault = vault
        self.connection = connection
        self._fence = 0

    async def load(self) -> Token | None:
        """See `hub.sdk.auth.TokenStore.load`."""
        async with self.database.connection() as link:
            envelope = await link.fetchval(
                "SELECT envelope FROM connection_token WHERE connection_id = $1", self.connection
            )
        if envelope is None:
            return None
        opened = self.vault.open(envelope, table="connection_token", row=self.connection, field="envelope")
        return msgspec.convert(opened, Token)

    async def claim(self) -> bool:
        """See `hub.sdk.auth.TokenStore.claim`."""
        async with self.database.connection() as link:
            fence = await link.fetchval(
                "INSERT INTO connection_token AS t (connection_id, lease_until, fence) VALUES ($1, now() + $2, 1) "
                "ON CONFLICT (connection_id) DO UPDATE SET lease_until = now() + $2, fence = t.fence + 1 "
                # Ours from a try that failed: nobody else has to be waited for.
                "WHERE t.lease_until IS NULL OR t.lease_until < now() OR t.fence = $3 RETURNING fence",
                self.connection,
                TOKEN_LEASE,
                self._fence,
            )
        self._fence = fence or 0
        return fence is not None

    async def replace(self, token: Token) -> None:
        """Keep the token of a new sign-in. Whoever renews the old one at this moment keeps it no more."""
        plain = msgspec.to_builtins(token)
        envelope = self.vault.seal(plain, table="connection_token", row=self.connection, field="envelope")
        async with self.database.connection() as link:
            await link.execute(
                "INSERT INTO connection_token AS t (connection_id, envelope, expires_at, fence) VALUES ($1, $2, $3, 1) "
                "ON CONFLICT (connection_id) DO UPDATE SET envelope = EXCLUDED.envelope, "
                "expires_at = EXCLUDED.expires_at, lease_until = NULL, fence = t.fence + 1",
                self.connection,
                envelope,
                token.expires_at,
            )

    async def save(self, token: Token) -> None:
        """See `hub.sdk.auth.TokenStore.save`. A lease that another process took over in between keeps its own token."""
        plain = msgspec.to_builtins(token)
        envelope = self.vault.seal(plain, table="connection_token", row=self.connection, field="envelope")
        expires: datetime | None = token.expires_at
        async with self.database.connection() as link:
            await link.execute(
                "UPDATE connection_token SET envelope = $2, expires_at = $3, lease_until = NULL "
                "WHERE connection_id = $1 AND fence = $4",
                self.connection,
                envelope,
                expires,
                self._fence,
            )
