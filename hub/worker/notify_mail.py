"""Mail to customers: who they are and what their page is called is read when it is sent, and kept nowhere.

SMTP cannot be asked whether it took a message. So a message is repeated only when it surely was not taken; one whose
fate nobody knows waits for a person, and carries a Message-ID that is the same at every try.
"""

import asyncio
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from hub.domain.events import TellEvent
from hub.flow.notices import Message, Notices, message
from hub.flow.ports import Claimed
from hub.sdk.leased import may_write
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, RetryLater
from hub.sdk.public_address import Resolve
from hub.sdk.redaction import redact_text
from hub.store.database import Database
from hub.store.events import MailConfig, Subscriber, addressee, asked_again

SECONDS: Final = 20.0
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
        notices = self._notices.get(config.language, self._notices["en"])
        now = self._clock()
        said = message(notices, event.event, bytes(event.data), self._link(event.order, now))
        async with self._database.connection() as connection:
            to = await addressee(connection, event.order)
            if claimed.look_first and not await asked_again(connection, claimed.id):
                return _perhaps("the worker that sent it was lost")
        if said is None:
            return Done(reference="no text for it")
        if to is None or not ADDRESS.fullmatch(to):
            return Done(reference="no mail address")
        address = await self._resolve(config.host, config.port)
        mail = compose(said, sender=config.sender, to=to, key=claimed.key, now=now)
        if not may_write():
            return RetryLater(reason="its lease ran out before it was sent")
        return await asyncio.to_thread(send, mail, config, subscriber.secrets.password, address)

    async def close(self) -> None:
        """See `Way.close`: each message has a connection of its own."""


def compose(said: Message, *, sender: str, to: str, key: str, now: datetime) -> EmailMessage:
    """A mail of plain text."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, said.subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{key}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(said.text.lstrip("\n"))
    return mail


class _Smtp(smtplib.SMTP):
    """Connects to an address that was looked at; the name stays what the certificate is asked for."""

    def __init__(self, host: str, port: int, address: str) -> None:
        self.address = address
        super().__init__(host, port, timeout=SECONDS)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return socket.create_connection((self.address, port), timeout)


class _SmtpOverTls(_Smtp):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = super()._get_socket(host, port, timeout)
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def send(mail: EmailMessage, config: MailConfig, password: str | None, address: str) -> Outcome:
    """Hand one mail to its server. Blocks: run it in a thread."""
    try:
        with _open(config, address) as server:
            if config.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if config.username is not None:
                server.login(config.username, password or "")
            return _hand_over(server, mail)
    except smtplib.SMTPAuthenticationError as error:
        step = "Correct the subscription's username and password, then retry."
        return NeedsPerson(reason=f"the mail server refused the log-in ({error.smtp_code})", next_step=step)
    except (OSError, smtplib.SMTPException) as error:
        # Nothing was handed over yet: `_hand_over` reads its own failures.
        return RetryLater(reason=f"the mail server cannot be used: {type(error).__name__}")


def _open(config: MailConfig, address: str) -> smtplib.SMTP:
    kind = _SmtpOverTls if config.security == "tls" else _Smtp
    return kind(config.host, config.port, address)


def _hand_over(server: smtplib.SMTP, mail: EmailMessage) -> Outcome:
    try:
        server.send_message(mail)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        return _refused(error)
    except smtplib.SMTPNotSupportedError as error:
        return NeedsPerson(reason=f"the mail server cannot take it: {error}", next_step="Use another mail server.")
    except (OSError, smtplib.SMTPException) as error:
        return _perhaps(f"the mail server was lost: {type(error).__name__}")
    return Done(reference=str(mail["Message-ID"]))


def _refused(error: smtplib.SMTPException) -> Outcome:
    """4xx may be taken later; 5xx never."""
    answer: tuple[int, bytes | str]
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answer = next(iter(error.recipients.values()))
    else:
        assert isinstance(error, smtplib.SMTPResponseException)
        answer = (error.smtp_code, error.smtp_error)
    code, said = answer
    if 400 <= code < 500:
        return RetryLater(reason=f"the mail server says {code}, later")
    # Servers quote the address that they refuse.
    words = redact_text(said.decode("ascii", "replace") if isinstance(said, bytes) else said)
    step = "Ask the customer for another address, or correct the subscription's sender; then retry or resolve."
    return NeedsPerson(reason=f"the mail server refuses it ({code}: {words[:100]})", next_step=step)


def _perhaps(reason: str) -> Outcome:
    step = "It may have been sent. Retry to send it (again), or resolve to leave it."
    return NeedsPerson(reason=reason, next_step=step)
