import argparse
import asyncio
import json

import uvloop

from tests.bench import intake
from tests.bench.running import RunningHub
from tests.bench.world import furnish


async def main(n):
    async with RunningHub() as hub:
        hub.postgres.ask("ALTER SYSTEM SET track_commit_timestamp = on")
        await asyncio.to_thread(hub.postgres.stop)
        await asyncio.to_thread(hub.postgres.restart)
        await furnish(hub)
        await hub.start()
        try:
            print(json.dumps(await intake.measure(hub, n), indent=1))
        finally:
            open("/tmp/hub.log", "w").write(hub.log())


p = argparse.ArgumentParser()
p.add_argument("--orders", type=int, default=20000)
uvloop.run(main(p.parse_args().orders))
