"""Mail to customers: who they are and what their page is called is read when it is sent, and kept nowhere.

A message is repeated only when it surely was not taken; one whose fate nobody knows waits for a person.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from hub.domain.events import TellEvent
from hub.flow.notices import Notices, message, spoken
from hub.flow.ports import Claimed
from hub.sdk.leased import may_write
from hub.sdk.mail import compose
from hub.sdk.outcomes import Done, Outcome, RetryLater
from hub.sdk.public_address import Resolve
from hub.sdk.smtp import perhaps, send
from hub.store.database import Database
from hub.store.events import MailConfig, Subscriber, addressee, asked_again, locale_of

ADDRESS: Final = re.compile(r"[^\s<>@,;\x00-\x1f]{1,64}@[^\s<>@,;\x00-\x1f]{1,255}")

MakeLink = Callable[[str, datetime], str]
"""(order, now) -> address of its customer's page."""


class Mail:
    """Sends mail. One per process."""

    def __init__(
        self,
        database: Database,
        notices: Mapping[str, Notices],
        link: MakeLink,
        clock: Callable[[], datetime],
        resolve: Resolve,
    ) -> None:
        """`notices` by language; English stands in for a language without texts."""
        self._database = database
        self._notices = notices
        self._link = link
        self._clock = clock
        self._resolve = resolve

    async def tell(self, subscriber: Subscriber, claimed: Claimed, event: TellEvent) -> Outcome:
        """See `Way.tell`. An order without a mail address, or a type without a text, is nobody's to tell: done."""
        config = subscriber.config
        assert isinstance(config, MailConfig)
        now = self._clock()
        async with self._database.connection() as connection:
            to = await addressee(connection, event.order)
            locale = await locale_of(connection, event.order)
            if claimed.look_first and not await asked_again(connection, claimed.id):
                return perhaps("the worker that sent it was lost")
        notices = spoken(self._notices, locale, config.language)
        said = message(notices, event.event, bytes(event.data), self._link(event.order, now))
        if said is None:
            return Done(reference="no text for it")
        if to is None or not ADDRESS.fullmatch(to):
            return Done(reference="no mail address")
        address = await self._resolve(config.host, config.port)
        mail = compose(
            subject=said.subject,
            text=said.text.lstrip("\n"),
            sender=config.sender,
            to=to,
            key=claimed.key,
            now=now,
        )
        if not may_write():
            return RetryLater(reason="its lease ran out before it was sent")
        return await asyncio.to_thread(send, mail, config, subscriber.secrets.password, address)

    async def close(self) -> None:
        """See `Way.close`: each message has a connection of its own."""
