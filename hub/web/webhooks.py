"""Steps 1 to 3: raw bytes in, checked, stored, acknowledged. Nothing is understood here."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import structlog
from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hub.flow.directory import Link
from hub.flow.receive import receive
from hub.sdk.webhook import Delivery, Handshake, Refuse, Reply
from hub.store.configuration import ConfigurationReader
from hub.store.credentials import Credentials, SettingsBroken
from hub.store.database import is_weather
from hub.store.inbox import Arrival
from hub.store.vault import SealBroken
from hub.web.grouping import Grouping, Unavailable

log = structlog.get_logger(__name__)

FRESH_SECONDS = 0.5
"""Age up to which the configuration is used without asking the database."""

RETRY_AFTER = "2"


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
        self._settings: dict[str, tuple[int, msgspec.Struct]] = {}

    async def take(
        self, request: Request[Any, Any, State], connection_id: str, *, app: str | None = None
    ) -> Response[bytes]:
        """Answer one delivery: 200 or what the vendor wants, 401, 404, 413, or 503 when nothing could be stored."""
        try:
            body = await self._body(request)
            if body is None:
                return _plain(413, f"longer than {self._max_body_bytes} bytes")
            delivery = self._delivery(request, body)
            link = await self._link(connection_id) if app is None else await self._addressed(app, delivery)
            if link is None:
                return _plain(404, "no such connection")
            settings = await self._settings_of(link)
            return await self._judge(delivery, link, settings)
        except (SettingsBroken, SealBroken) as error:
            log.error("webhook.settings_broken", connection=connection_id, reason=str(error))
            return _plain(401, "this connection cannot check signatures now")
        except Unavailable as error:
            return _unavailable(connection_id, str(error))
        except Exception as error:
            if not is_weather(error):
                raise
            return _unavailable(connection_id, f"{type(error).__name__}: {error}")

    async def _body(self, request: Request[Any, Any, State]) -> bytes | None:
        stated = request.headers.get("content-length", "0")
        if not stated.isdigit() or int(stated) > self._max_body_bytes:
            return None
        chunks, size = [], 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > self._max_body_bytes:
                return None
            chunks.append(chunk)
        return b"".join(chunks)

    async def _link(self, connection_id: str) -> Link | None:
        directory = await self._configuration.recent(FRESH_SECONDS, time.monotonic)
        if connection_id not in directory.links:
            directory = await self._configuration.directory()
        link = directory.links.get(connection_id)
        return link if link is not None and link.connection.enabled else None

    async def _settings_of(self, link: Link) -> msgspec.Struct:
        directory = await self._configuration.recent(FRESH_SECONDS, time.monotonic)
        kept = self._settings.get(link.connection.id)
        if kept is None or kept[0] != directory.epoch:
            settings = await self._credentials.settings(link.connection.id, link.adapter)
            kept = self._settings[link.connection.id] = (directory.epoch, settings)
        return kept[1]

    async def _addressed(self, app: str, delivery: Delivery) -> Link | None:
        """The enabled connection of the account that the delivery names."""
        directory = await self._configuration.recent(FRESH_SECONDS, time.monotonic)
        for link in directory.links.values():
            if link.adapter.name != app or link.adapter.addressed is None or not link.connection.enabled:
                continue
            if link.adapter.addressed(delivery) == link.connection.account_name:
                return link
        return None

    def _delivery(self, request: Request[Any, Any, State], body: bytes) -> Delivery:
        base = self._public_url or str(request.base_url).rstrip("/")
        return Delivery(
            method=request.method,
            url=f"{base}{request.scope['path']}",
            headers={name.lower(): value for name, value in request.headers.items()},
            query=dict(request.query_params),
            body=body,
            received_at=self._clock(),
        )

    async def _judge(self, delivery: Delivery, link: Link, settings: msgspec.Struct) -> Response[bytes]:
        verdict, accepted = receive(delivery, link, settings)
        if isinstance(verdict, Refuse):
            log.info("webhook.refused", connection=link.connection.id, status=verdict.status, reason=verdict.reason)
            return _plain(verdict.status, verdict.reason)
        if isinstance(verdict, Handshake) or accepted is None:
            return _reply(verdict.reply)
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
        return _reply(verdict.reply)


def _reply(reply: Reply) -> Response[bytes]:
    return Response(reply.body, status_code=reply.status, media_type=reply.content_type)


def _plain(status: int, text: str) -> Response[bytes]:
    return Response(text.encode(), status_code=status, media_type="text/plain")


def _unavailable(connection_id: str, reason: str) -> Response[bytes]:
    log.warning("webhook.unavailable", connection=connection_id, reason=reason)
    return Response(b"try again", status_code=503, media_type="text/plain", headers={"retry-after": RETRY_AFTER})


def webhook_routes() -> list[ControllerRouterHandler]:
    """The routes that vendors call. The application's state holds the `Intake`."""

    @post("/webhooks/{connection_id:str}", status_code=200, include_in_schema=False)
    async def take(request: Request[Any, Any, State], connection_id: FromPath[str]) -> Response[bytes]:
        intake: Intake = request.app.state.intake
        return await intake.take(request, connection_id)

    @post("/webhooks/apps/{app_name:str}", status_code=200, include_in_schema=False)
    async def take_for_app(request: Request[Any, Any, State], app_name: FromPath[str]) -> Response[bytes]:
        intake: Intake = request.app.state.intake
        return await intake.take(request, f"app {app_name}", app=app_name)

    return [take, take_for_app]
