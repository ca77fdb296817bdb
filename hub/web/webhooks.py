"""Steps 1 to 3: raw bytes in, checked, stored, acknowledged. Nothing is understood here."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qsl

import msgspec
import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from hub.flow.directory import Directory, Link
from hub.flow.receive import receive
from hub.sdk.webhook import Delivery, Handshake, Refuse, Reply
from hub.store.configuration import ConfigurationReader
from hub.store.credentials import Credentials, SettingsBroken
from hub.store.database import is_weather
from hub.store.inbox import Arrival
from hub.store.vault import SealBroken
from hub.web.grouping import PATIENCE_SECONDS, Grouping, Unavailable
from hub.web.looking_up import LookUp

log = structlog.get_logger(__name__)

PREFIX = "/webhooks/"

APPS = "apps/"

FRESH_SECONDS = 0.5
"""Age up to which the configuration is used without asking the database."""

RETRY_AFTER = b"2"


class Intake:
    """Takes deliveries. One per web process."""

    def __init__(
        self,
        configuration: ConfigurationReader,
        credentials: Credentials,
        grouping: Grouping,
        clock: Callable[[], datetime],
        ring: Callable[[str], None],
        *,
        public_url: str | None,
        max_body_bytes: int,
    ) -> None:
        self._configuration = configuration
        self._credentials = credentials
        self._grouping = grouping
        self._clock = clock
        self._ring = ring
        self._public_url = public_url
        self._max_body_bytes = max_body_bytes
        self._look = LookUp[Directory]()
        self._known: Directory | None = None
        self._looked_at = 0.0
        self._secrets: dict[str, tuple[int, LookUp[msgspec.Struct]]] = {}
        self._settings: dict[str, tuple[int, msgspec.Struct]] = {}

    async def take(self, scope: HTTPScope, receive_body: Receive) -> Reply:
        """Answer one delivery to `/webhooks/{connection}`, or to the one endpoint of an app, `/webhooks/apps/{app}`.

        200 or what the vendor wants, 401, 404, 413, or 503 when nothing could be stored.
        """
        name = scope["path"].removeprefix(PREFIX).strip("/")
        app = name.removeprefix(APPS) if name.startswith(APPS) else None
        try:
            headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
            body = await self._body(headers, receive_body)
            if body is None:
                return _plain(413, f"longer than {self._max_body_bytes} bytes")
            delivery = self._delivery(scope, headers, body)
            link = await (self._link(name) if app is None else self._addressed(app, delivery))
            if link is None:
                return _plain(404, "no such connection")
            settings = await self._settings_of(link)
            return await self._judge(delivery, link, settings)
        except (SettingsBroken, SealBroken) as error:
            log.error("webhook.settings_broken", addressed_to=name, reason=str(error))
            return _plain(401, "this connection cannot check signatures now")
        except Unavailable as error:
            return _unavailable(name, str(error))
        except Exception as error:
            # The edge of the process: the sender must have an answer, and comes again after this one.
            if not is_weather(error):
                log.exception("webhook.failed", addressed_to=name)
                return _plain(500, "this delivery could not be taken")
            return _unavailable(name, f"{type(error).__name__}: {error}")

    async def _body(self, headers: Mapping[str, str], receive_body: Receive) -> bytes | None:
        stated = headers.get("content-length", "0")
        if not stated.isdigit() or int(stated) > self._max_body_bytes:
            return None
        chunks, size = [], 0
        while True:
            message = await receive_body()
            if message["type"] != "http.request":
                raise ConnectionResetError("the sender went away")
            chunks.append(message["body"])
            size += len(chunks[-1])
            if size > self._max_body_bytes:
                return None
            if not message["more_body"]:
                return b"".join(chunks)

    async def _link(self, connection_id: str) -> Link | None:
        directory = await self._directory()
        # Twice: a reading that others began may be older than the connection.
        for _ in range(2):
            if connection_id not in directory.links:
                directory = await self._look.value(self._configuration.directory, PATIENCE_SECONDS)
        link = directory.links.get(connection_id)
        return link if link is not None and link.connection.enabled else None

    async def _directory(self) -> Directory:
        """The configuration as of at most `FRESH_SECONDS` ago. While it is read anew, the one there is serves."""
        now = time.monotonic()
        if self._known is None or now - self._looked_at > FRESH_SECONDS:
            self._looked_at = now
            self._known = await self._look.value(self._configuration.directory, PATIENCE_SECONDS)
        return self._known

    async def _settings_of(self, link: Link) -> msgspec.Struct:
        directory, name = await self._directory(), link.connection.id
        kept = self._settings.get(name)
        if kept is None or kept[0] != directory.epoch:
            looking = self._secrets.get(name)
            if looking is None or looking[0] != directory.epoch:
                # A reading begun under another epoch may have seen other secrets.
                looking = self._secrets[name] = (directory.epoch, LookUp())
            settings = await looking[1].value(lambda: self._credentials.settings(name, link.adapter), PATIENCE_SECONDS)
            kept = self._settings[name] = (directory.epoch, settings)
        return kept[1]

    async def _addressed(self, app: str, delivery: Delivery) -> Link | None:
        """The enabled connection of the account that the delivery names."""
        directory = await self._directory()
        for link in directory.links.values():
            if link.adapter.name != app or link.adapter.addressed is None or not link.connection.enabled:
                continue
            if link.adapter.addressed(delivery) == link.connection.account_name:
                return link
        return None

    def _delivery(self, scope: HTTPScope, headers: Mapping[str, str], body: bytes) -> Delivery:
        base = self._public_url or f"{scope['scheme']}://{headers.get('host', '')}"
        query = scope["query_string"]
        return Delivery(
            method=scope["method"],
            url=f"{base}{scope['path']}",
            headers=headers,
            query=dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {},
            body=body,
            received_at=self._clock(),
        )

    async def _judge(self, delivery: Delivery, link: Link, settings: msgspec.Struct) -> Reply:
        verdict, accepted = receive(delivery, link, settings)
        if isinstance(verdict, Refuse):
            log.info("webhook.refused", connection=link.connection.id, status=verdict.status, reason=verdict.reason)
            return _plain(verdict.status, verdict.reason)
        if isinstance(verdict, Handshake) or accepted is None:
            return verdict.reply
        connection = link.connection
        await self._grouping.store(
            Arrival(
                account=connection.account,
                key=accepted.key,
                hash=accepted.hash,
                merchant=connection.merchant,
                connection=connection.id,
                topic=accepted.topic,
                object=accepted.object,
                lane=accepted.lane,
                received_at=delivery.received_at,
                headers=accepted.headers,
                body=delivery.body,
            )
        )
        if accepted.lane is not None:
            self._ring(accepted.lane)
        return verdict.reply


def _plain(status: int, text: str) -> Reply:
    return Reply(status=status, body=text.encode())


def _unavailable(addressed_to: str, reason: str) -> Reply:
    log.warning("webhook.unavailable", addressed_to=addressed_to, reason=reason)
    return _plain(503, "try again")


async def _answer(send: Send, reply: Reply, *more: tuple[bytes, bytes]) -> None:
    headers = [
        (b"content-type", reply.content_type.encode("latin-1")),
        (b"content-length", str(len(reply.body)).encode()),
        *more,
    ]
    if reply.status == 503:
        headers.append((b"retry-after", RETRY_AFTER))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})


def webhooks_first(app: ASGIApp, intake: Intake) -> ASGIApp:
    """Take what comes under `/webhooks/` before the application does.

    The framework's request, response and log line cost more than everything else that happens to a delivery, and its
    row in the database is the better record.
    """

    async def served(scope: Scope, receive_body: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or not scope["path"].startswith(PREFIX):
            await app(scope, receive_body, send)
        elif scope["method"] != "POST":
            await _answer(send, _plain(405, "deliveries are posted"), (b"allow", b"POST"))
        else:
            await _answer(send, await intake.take(scope, receive_body))

    return served
