"""Mail as a port: what an adapter is given to write to partners that read nothing else. `smtp.py` stands behind it."""

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal, Protocol

import msgspec

from hub.sdk.outcomes import Outcome


class MailServer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which server takes the mail, and in whose name."""

    host: str
    sender: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, mail: EmailMessage, server: MailServer, password: str | None) -> Outcome:
        """Hand one message to a server: Done, RetryLater (surely not taken), NeedsPerson (refused, or nobody knows)."""
        ...


def compose(*, subject: str, text: str, sender: str, to: str, key: str, now: datetime) -> EmailMessage:
    """A mail of plain text."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{key}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    return mail
