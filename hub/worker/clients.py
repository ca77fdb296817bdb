"""Vendors' clients, one per connection, built when first needed and built anew when the configuration changed."""

import ssl
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from hub.flow.directory import Directory, Link
from hub.sdk.capabilities import Context
from hub.sdk.http import HttpClient
from hub.sdk.limits import Buckets
from hub.store.credentials import Credentials, StoredTokens


class Clients:
    """Opens contexts for adapters. One per process."""

    def __init__(self, credentials: Credentials, buckets: Buckets, clock: Callable[[], datetime]) -> None:
        self._credentials = credentials
        self._buckets = buckets
        self._clock = clock
        self._open: dict[str, tuple[int, Context[Any], HttpClient]] = {}
        # 20 ms to make; shared by every client of the process.
        self._tls = ssl.create_default_context()

    async def context(self, link: Link, directory: Directory) -> Context[Any]:
        """What a capability is given. Raises `SettingsBroken`."""
        kept = self._open.get(link.connection.id)
        if kept is not None and kept[0] == directory.epoch:
            return kept[1]
        settings = await self._credentials.settings(link.connection.id, link.adapter)
        # Somebody else may have built one meanwhile: a second would never be closed.
        kept = self._open.get(link.connection.id)
        if kept is not None and kept[1].settings == settings:
            context = msgspec.structs.replace(kept[1], connection=link.connection)
            self._open[link.connection.id] = (directory.epoch, context, kept[2])
            return context
        tokens = StoredTokens(self._credentials.database, self._credentials.vault, link.connection.id)
        client = HttpClient(
            link.adapter.transport(settings), clock=self._clock, buckets=self._buckets, tokens=tokens, tls=self._tls
        )
        made: Context[Any] = Context(connection=link.connection, settings=settings, client=client, now=self._clock)
        self._open[link.connection.id] = (directory.epoch, made, client)
        if kept is not None:
            await kept[2].aclose()
        return made

    async def close(self) -> None:
        """Close every client."""
        for _, _, client in self._open.values():
            await client.aclose()
        self._open.clear()
