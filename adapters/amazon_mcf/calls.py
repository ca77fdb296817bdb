"""What both versions put into their requests alike."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from adapters.amazon_mcf.settings import Settings, Speed
from hub.domain.contact import Contact
from hub.sdk.capabilities import FulfilmentRequest
from hub.sdk.outcomes import Interrupted, NeedsPerson
from hub.sdk.wire import Request


def request(
    method: str,
    path: str,
    operation: str,
    *,
    query: Mapping[str, str] | None = None,
    document: object = None,
    write: bool = False,
) -> Request:
    """A call of the Selling Partner API."""
    body = None if document is None else msgspec.json.encode(document)
    headers = {"content-type": "application/json"} if body is not None else {}
    return Request(
        method=method, path=path, operation=operation, query=query or {}, headers=headers, body=body, write=write
    )


def address(to: Contact, *, email: bool = False) -> dict[str, str]:
    """Where to; without a city in Japan, where Amazon refuses one."""
    more = {
        "city": None if to.country == "JP" else to.city,
        "stateOrRegion": to.region,
        "postalCode": to.postal_code,
        "phone": to.phone,
        "email": to.email if email else None,
    }
    whole = {"name": to.name or to.company or "", **streets(to.lines), "countryCode": to.country or ""}
    return {**whole, **{name: value for name, value in more.items() if value}}


def streets(lines: Sequence[str]) -> dict[str, str]:
    """One to three address lines; what is more goes with the third."""
    kept = [line for line in lines if line]
    kept = [*kept[:2], ", ".join(kept[2:])] if len(kept) > 3 else kept
    return {f"addressLine{number}": line for number, line in enumerate(kept, 1)}


def summaries(settings: Settings, since: datetime | None, token: str | None) -> Request:
    """A page of inventory: all of it, or what changed since."""
    query = {
        "details": "true",
        "granularityType": "Marketplace",
        "granularityId": settings.marketplace_id,
        "marketplaceIds": settings.marketplace_id,
    }
    if since is not None:
        query["startDateTime"] = since.strftime("%Y-%m-%dT%H:%M:%SZ")
    if token is not None:
        query["nextToken"] = token
    return request("GET", "/fba/inventory/v1/summaries", "getInventorySummaries", query=query)


def speed_of(wanted: FulfilmentRequest, settings: Settings) -> Speed:
    """Amazon's speed for the service asked for. Raises `Interrupted` for a service that `speeds` does not name."""
    if wanted.service is None:
        return settings.speed
    speed = settings.speeds.get(wanted.service)
    if speed is None:
        raise Interrupted(
            NeedsPerson(
                kind="unmapped_service",
                reason=f"{settings.seller_id}: no speed of Amazon's is named for the service {wanted.service!r}",
                next_step="add it to speeds of the connection, then retry the exception",
            )
        )
    return speed
