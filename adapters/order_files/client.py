"""Files in, files out. Decides nothing."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec

from adapters.order_files.settings import Settings
from adapters.order_files.translate import split, written
from adapters.order_files.webhook import subject
from hub.sdk.capabilities import AvailabilityUpdate, Check, Context, Page, Probe, Pulled, ShipmentConfirmation
from hub.sdk.files import RemoteFile, digest, join
from hub.sdk.folders import Judged, server, take_files
from hub.sdk.outcomes import Done, Outcome
from hub.sdk.translate import Malformed

CONFIRMED = ("order_number", "line_id", "quantity", "carrier", "tracking", "shipped_at", "location")
LEVELS = ("sku", "location", "quantity")


async def pull_orders(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Files that were dropped, each stored whole before it is put away."""

    def judge(file: RemoteFile, body: bytes) -> Judged:
        about = subject(file.modified_at, file.name)
        item = Pulled(key=f"file:{file.name}:{digest(body)}", topic="file", object=about, body=body)
        try:
            split(file.name, body, context.settings, file.modified_at)
        except Malformed as fault:
            return Judged(item=item, error=str(fault))
        return Judged(item=item)

    async for page in take_files(context, context.settings.folders(), judge, cursor):
        yield page


async def fetch(context: Context[Settings], topic: str, about: str, body: bytes) -> tuple[Pulled, ...]:
    """The orders of a stored file: nothing is read but its bytes."""
    stamp, _, name = about.partition(" ")
    return split(name, body, context.settings, datetime.fromisoformat(stamp))


async def probe(context: Context[Settings]) -> Probe:
    """The log-in, and the folders that it needs. Without a file server there are only uploads to speak of."""
    settings = context.settings
    checks = [Check(name="uploads", ok=True, detail="signed" if settings.webhook_secret else "none: no webhook_secret")]
    if settings.base_url:
        files = server(context)
        for folder in (settings.incoming, settings.confirmations, settings.stock):
            found = await files.list(folder)
            checks.append(Check(name=folder, ok=True, detail=f"{len(found)} files"))
    return Probe(account=settings.channel, checks=tuple(checks))


async def confirm_shipment(context: Context[Settings], request: ShipmentConfirmation) -> Outcome:
    """A file per shipment, a row per line and parcel."""
    rows: list[dict[str, object]] = []
    at = request.shipped_at.astimezone(UTC).isoformat()
    order = {"order_number": request.order_external_id, "shipped_at": at, "location": request.location}
    left = {line.line: line.quantity for line in request.lines}
    for parcel in request.parcels:
        sent = {**order, "carrier": parcel.carrier, "tracking": parcel.tracking}
        for line in parcel.lines:
            left[line.line] = left.get(line.line, 0) - line.quantity
            rows.append({**sent, "line_id": line.line, "quantity": line.quantity})
    # A node that does not say what lies in which parcel names the parcels only.
    bare = [parcel for parcel in request.parcels if not parcel.lines]
    alone = bare[0] if len(bare) == 1 else None
    carrier, tracking = (alone.carrier, alone.tracking) if alone else (None, ";".join(p.tracking or "" for p in bare))
    rest = [(line, quantity) for line, quantity in left.items() if quantity > 0]
    sent = {**order, "carrier": carrier, "tracking": tracking}
    rows += [{**sent, "line_id": line, "quantity": quantity} for line, quantity in rest]
    return await _write(context, context.settings.confirmations, request, rows, CONFIRMED)


async def publish_availability(context: Context[Settings], request: AvailabilityUpdate) -> Outcome:
    """A file per update: new levels of what changed, absolute."""
    rows = [{"sku": level.sku, "location": level.location, "quantity": level.quantity} for level in request.levels]
    return await _write(context, context.settings.stock, request, rows, LEVELS)


async def _write(
    context: Context[Settings],
    folder: str,
    request: ShipmentConfirmation | AvailabilityUpdate,
    rows: list[dict[str, object]],
    columns: tuple[str, ...],
) -> Outcome:
    settings = context.settings
    if settings.writes == "json":
        body = msgspec.json.encode([{name: row[name] for name in columns} for row in rows])
    else:
        body = written(rows, columns, settings.layout)
    files = server(context)
    if settings.staging is not None:
        await files.make_folder(settings.staging)
    path = join(folder, f"{request.key}.{settings.writes}")
    new = await files.put(path, body, staging=settings.staging, look_first=request.look_first)
    return Done(reference=path, found=not new)
