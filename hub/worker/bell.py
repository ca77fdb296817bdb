"""Bells: events within a process, arq between processes. A bell says "look"; what there is to do, Postgres knows."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
import structlog
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.worker import Function, Worker, func
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from arq.typing import WorkerCoroutine

log = structlog.get_logger(__name__)

LANES: Final = (
    "orders",
    "facts",
    "stock",
    "fetch",
    "waiting",
    "deadlines",
    "deliver",
    "availability",
    "pull",
    "reconcile",
    "notify",
    "holds",
)

SPACING_SECONDS: Final = 0.08
"""At most one ring per lane and process in this time: a batch is woken, never one order. A ring costs 4 ms of CPU, all
processes together; a lane that was woken looks by itself for longer than this."""

POLL_SECONDS: Final = 0.02
"""arq's own default of 0.5 s takes 268 ms to start a job."""

QUEUE: Final = "crossdock:bells"


def _pack(value: dict[str, Any]) -> bytes:
    # An expired ring's result holds an exception.
    return msgspec.json.encode(value, enc_hook=str)


def _unpack(value: bytes) -> dict[str, Any]:
    return msgspec.json.decode(value, type=dict[str, Any])


class Bells:
    """Wakes lanes here and elsewhere. Losing one costs a sweep's delay, never work."""

    def __init__(self, queue_url: str) -> None:
        self._settings = RedisSettings.from_dsn(queue_url)
        self._settings.conn_retries = 0
        self._settings.conn_timeout = 1
        self._events = {lane: asyncio.Event() for lane in LANES}
        self._rung: dict[str, float] = {}
        self._due: set[str] = set()
        self._redis: ArqRedis | None = None
        self._down = False
        self._closed = False
        self._opening = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def event(self, lane: str) -> asyncio.Event:
        """What a lane's loop waits for."""
        return self._events[lane]

    def here(self, lane: str) -> None:
        """Wake a lane of this process."""
        self._events[lane].set()

    def ring(self, lane: str) -> None:
        """Wake a lane wherever a worker is free. Never blocks, never raises.

        One that comes too soon after the last is struck when its time comes: whoever was woken by the last may have
        looked already.
        """
        if lane in self._due:
            return
        self._due.add(lane)
        loop = asyncio.get_running_loop()
        loop.call_at(self._rung.get(lane, 0.0) + SPACING_SECONDS, self._strike, lane)

    def _strike(self, lane: str) -> None:
        loop = asyncio.get_running_loop()
        self._due.discard(lane)
        if self._closed:
            # Due a moment after the end: striking it would open a connection that nobody closes.
            return
        self._rung[lane] = now = loop.time()
        task = loop.create_task(self._send(lane, int(now / SPACING_SECONDS)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, lane: str, bucket: int) -> None:
        try:
            # Two lanes that are rung at once must not open two: only one of them would ever be closed.
            async with self._opening:
                if self._redis is None:
                    self._redis = await create_pool(
                        self._settings, job_serializer=_pack, job_deserializer=_unpack, default_queue_name=QUEUE
                    )
            # The id is the time bucket: a fixed one is refused while the last job of that name is still ending.
            await self._redis.enqueue_job("ring", lane, _job_id=f"{lane}:{bucket}", _expires=5)
        except (RedisError, OSError, TimeoutError) as error:
            if not self._down:
                log.warning(
                    "bell.unreachable", reason=str(error), effect="work starts by the sweep, up to a second late"
                )
            self._down = True
        else:
            if self._down:
                log.info("bell.reachable")
            self._down = False

    async def listen(self) -> None:
        """Take rings from the queue until cancelled; the queue may come and go meanwhile."""
        while True:
            listener = self._listener()
            try:
                await listener.async_run()
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("bell.lost", reason=str(error))
            finally:
                await _let_go(listener)
            await asyncio.sleep(1)

    def _listener(self) -> Worker:
        async def ring(context: dict[Any, Any], lane: str) -> None:
            if lane in self._events:
                self._events[lane].set()

        functions: list[Function] = [func(cast("WorkerCoroutine", ring), name="ring", keep_result=0, max_tries=1)]
        return Worker(
            functions=functions,
            queue_name=QUEUE,
            redis_settings=self._settings,
            handle_signals=False,
            poll_delay=POLL_SECONDS,
            max_jobs=20,
            keep_result=0,
            job_timeout=5,
            health_check_interval=3600,
            job_serializer=_pack,
            job_deserializer=_unpack,
        )

    async def close(self) -> None:
        """Let go of the queue. What is rung afterwards is not heard."""
        self._closed = True
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._redis is not None:
            await self._redis.aclose()


async def _let_go(listener: Worker) -> None:
    """Close a listener's connections: arq leaves them open, one set for every time that the queue went away."""
    pool: ArqRedis | None = listener.pool
    if pool is not None:
        with contextlib.suppress(RedisError, OSError):
            await pool.aclose(close_connection_pool=True)


Ring = Callable[[str], None]
