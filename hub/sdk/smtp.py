"""Mail over SMTP: the one client of it.

SMTP cannot be asked whether it took a message: a try whose fate nobody knows comes to NeedsPerson, and every message
carries a Message-ID that is the same at every try.
"""

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from typing import Final, Protocol

from hub.sdk.leased import may_write
from hub.sdk.mail import MailServer
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, RetryLater
from hub.sdk.public_address import Resolve
from hub.sdk.redaction import redact_text

SECONDS: Final = 20.0
PERHAPS: Final = "It may have been sent. Retry to send it (again), or resolve to leave it."


class Server(Protocol):
    """What sending needs of a server's settings."""

    @property
    def host(self) -> str:
        """Its name, which its certificate must have."""
        ...

    @property
    def port(self) -> int:
        """Where it listens."""
        ...

    @property
    def security(self) -> str:
        """starttls, tls, none."""
        ...

    @property
    def username(self) -> str | None:
        """Who logs in; None does not."""
        ...


class SmtpMailer:
    """`Mailer` that looks at the server's address first: a private one may be forbidden."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    async def send(self, mail: EmailMessage, server: MailServer, password: str | None) -> Outcome:
        """See `Mailer.send`. Raises `Interrupted` when the address is unknown or not allowed."""
        address = await self._resolve(server.host, server.port)
        if not may_write():
            return RetryLater(reason="its lease ran out before it was sent")
        return await asyncio.to_thread(send, mail, server, password, address)


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


def send(mail: EmailMessage, server: Server, password: str | None, address: str) -> Outcome:
    """Hand one mail to its server. Blocks: run it in a thread."""
    try:
        with _open(server, address) as opened:
            if server.security == "starttls":
                opened.starttls(context=ssl.create_default_context())
            if server.username is not None:
                opened.login(server.username, password or "")
            return _hand_over(opened, mail)
    except smtplib.SMTPAuthenticationError as error:
        step = "Correct the mail server's username and password, then retry."
        return NeedsPerson(reason=f"the mail server refused the log-in ({error.smtp_code})", next_step=step)
    except (OSError, smtplib.SMTPException) as error:
        # Nothing was handed over yet: `_hand_over` reads its own failures.
        return RetryLater(reason=f"the mail server cannot be used: {type(error).__name__}")


def _open(server: Server, address: str) -> smtplib.SMTP:
    kind: Callable[[str, int, str], smtplib.SMTP] = _SmtpOverTls if server.security == "tls" else _Smtp
    return kind(server.host, server.port, address)


def _hand_over(server: smtplib.SMTP, mail: EmailMessage) -> Outcome:
    try:
        server.send_message(mail)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        return _refused(error)
    except smtplib.SMTPNotSupportedError as error:
        return NeedsPerson(reason=f"the mail server cannot take it: {error}", next_step="Use another mail server.")
    except (OSError, smtplib.SMTPException) as error:
        return perhaps(f"the mail server was lost: {type(error).__name__}")
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
    step = "Ask for another address, or correct the sender; then retry or resolve."
    return NeedsPerson(reason=f"the mail server refuses it ({code}: {words[:100]})", next_step=step)


def perhaps(reason: str) -> Outcome:
    """Nobody knows whether it was sent."""
    return NeedsPerson(reason=reason, next_step=PERHAPS)
