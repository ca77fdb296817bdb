"""A web process that ends hears out whoever has connected. Under load: `python -m tests.faults.run --kind upgrade`."""

import asyncio
from typing import Any

import uvicorn

from hub.processes import PatientServer


async def app(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def test_a_request_on_a_connection_that_was_taken_is_answered_though_the_end_has_begun() -> None:
    server = PatientServer(uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none"))
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(0.02)
    server.should_exit = True
    while server.servers[0].is_serving():
        await asyncio.sleep(0.005)
    writer.write(b"POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\n\r\n{}")
    assert (await reader.readline()).split()[1] == b"200"
    writer.close()
    await serving
