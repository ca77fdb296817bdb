"""A web server for tests: many of them start and stop in one process."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn


class Loopback(uvicorn.Server):
    """Leaves signals to the process, and starts and stops without pauses: thousands of servers run in tests."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.closing = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield

    async def main_loop(self) -> None:
        """Serve until told to stop."""
        await self.on_tick(0)
        self.listening.set()
        await self.closing.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything at once."""
        for server in self.servers:
            server.close()
        for connection in tuple(self.server_state.connections):
            connection.transport.close()
        for task in tuple(self.server_state.tasks):
            task.cancel()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)
        for server in self.servers:
            await server.wait_closed()
