"""Those who are told: a receiver of webhooks, and a server that takes mail."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.types import ControllerRouterHandler

from hub.sdk.testkit.simulator import Simulator
from hub.sdk.webhook import Delivery, signed_standard


class Receiver(Simulator):
    """Takes webhooks. `answers` are given to the next deliveries, one each; then everything is 204."""

    vendor = "receiver"

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[dict[str, Any]] = []
        """CloudEvents that were taken, in the order in which they came."""
        self.deliveries: list[tuple[dict[str, str], bytes]] = []
        """Everything that came, refused or not."""
        self.answers: list[int] = []

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """One address."""

        @post("/hook", status_code=200)
        async def hook(request: Request[Any, Any, Any]) -> Response[None]:
            body = await request.body()
            self.deliveries.append(({name.lower(): value for name, value in request.headers.items()}, body))
            status = self.answers.pop(0) if self.answers else 204
            if status < 300:
                self.heard.append(msgspec.json.decode(body))
            return Response(None, status_code=status)

        return [hook]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self.base_url}/hook"

    def types(self) -> list[str]:
        """Types of what was heard, without what they all begin with."""
        return [event["type"].removeprefix("crossdock.") for event in self.heard]

    def signed_by(self, secret: str, no: int = -1) -> bool:
        """Whether a delivery carries a signature of a secret."""
        headers, body = self.deliveries[no]
        delivery = Delivery(
            method="POST", url=self.url, headers=headers, query={}, body=body, received_at=datetime.now(UTC)
        )
        return signed_standard(delivery, [secret])


class MailServer:
    """Takes mail over SMTP without encryption. `refuse` is answered instead, `vanish` breaks off after the message."""

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.refuse: str | None = None
        self.vanish = False
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on loopback."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more."""
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 post office\r\n")
        while line := await reader.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                raw = await reader.readuntil(b"\r\n.\r\n")
                if self.vanish:
                    break
                self.taken.append(message_from_bytes(raw[:-5]))
                writer.write(b"250 taken\r\n")
            elif word == b"RCPT" and self.refuse is not None:
                writer.write(self.refuse.encode() + b"\r\n")
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 fine\r\n")
            await writer.drain()
        writer.close()
