"""Vendors' clients, one per connection, built when first needed and built anew when the configuration changed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from hub.flow.directory import Directory, Link
from hub.sdk.breaker import LONGEST_PAUSE
from hub.sdk.capabilities import Context
from hub.sdk.connecting import open_files
from hub.sdk.http import HttpClient
from hub.sdk.limits import Buckets
from hub.sdk.mail import Mailer
from hub.store.credentials import Credentials, StoredTokens
from hub.store.numbers import StoredNumbers

if TYPE_CHECKING:
    from hub.sdk.sftp import SftpFiles


class _Ends(NamedTuple):
    """What a context holds open."""

    client: HttpClient
    files: "SftpFiles | None"

    async def aclose(self) -> None:
        await self.client.aclose()
        if self.files is not None:
            await self.files.aclose()


class Clients:
    """Opens contexts for adapters. One per process."""

    def __init__(
        self,
        credentials: Credentials,
        buckets: Buckets,
        clock: Callable[[], datetime],
        public_url: str | None = None,
        *,
        longest_pause: timedelta = LONGEST_PAUSE,
        mail: Mailer | None = None,
        page: Callable[[str, datetime], str] | None = None,
    ) -> None:
        self._public_url = public_url
        self._longest_pause = longest_pause
        self._mail = mail
        self._page = page
        self._credentials = credentials
        self._buckets = buckets
        self._clock = clock
        self._open: dict[str, tuple[int, Context[Any], _Ends]] = {}

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
        transport = link.adapter.transport(settings)
        client = HttpClient(
            transport, clock=self._clock, buckets=self._buckets, tokens=tokens, longest_pause=self._longest_pause
        )
        files = open_files(transport, self._clock)
        made: Context[Any] = Context(
            connection=link.connection,
            settings=settings,
            client=client,
            now=self._clock,
            files=files,
            numbers=StoredNumbers(self._credentials.database, link.connection.account),
            webhooks=f"{self._public_url}/webhooks/{link.connection.id}" if self._public_url else None,
            mail=self._mail,
            page=self._page,
        )
        self._open[link.connection.id] = (directory.epoch, made, _Ends(client, files))
        if kept is not None:
            await kept[2].aclose()
        return made

    async def close(self) -> None:
        """Close every client."""
        for _, _, ends in self._open.values():
            await ends.aclose()
        self._open.clear()
