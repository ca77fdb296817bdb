"""A client that remembers what was sent and answered: for checking both against a vendor's specification."""

from hub.sdk.wire import Client, Request, Response

Exchange = tuple[Request, Response]


class Recorder:
    """Passes everything on to another client and keeps it. What raises is not kept."""

    def __init__(self, inner: Client) -> None:
        self.inner = inner
        self.exchanges: list[Exchange] = []

    async def send(self, request: Request) -> Response:
        """See `wire.Client.send`."""
        response = await self.inner.send(request)
        self.exchanges.append((request, response))
        return response
