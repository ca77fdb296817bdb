"""A client that answers what a test says, and remembers what it was asked."""

import msgspec

from adapters.amazon_mcf.harness import settings, simulator
from adapters.amazon_mcf.settings import Settings
from hub.domain.network import Connection
from hub.sdk.capabilities import Context
from hub.sdk.wire import Request, Response


class Stub:
    """Answers in turn; the last one again and again."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.asked.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def answer(status: int, body: bytes | object, **headers: str) -> Response:
    """A response; anything but bytes is encoded."""
    text = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Response(status=status, headers=headers, body=text)


def context(client: Stub, version: str, **more: object) -> Context[Settings]:
    """A connection whose client is the stub."""
    sim = simulator()
    sim.base_url = "http://127.0.0.1:9"
    connection = Connection(
        id="c1", merchant="default", account=1, account_name=sim.seller_id, adapter="amazon_mcf", name="mcf"
    )
    known = msgspec.structs.replace(settings(sim, version), **more)
    return Context(connection=connection, settings=known, client=client, now=sim.now)
