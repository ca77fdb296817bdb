"""What the conformance suite needs to know of the direct channel's payment service."""

from pathlib import Path
from typing import Any, Final

import msgspec

from adapters.direct.adapter import ADAPTER
from adapters.direct.settings import Settings
from adapters.direct.simulator import PaymentService
from hub.sdk.capabilities import Command, PaymentCapture, PaymentRefund, PaymentVoid
from hub.sdk.testkit.harness import Harness


def simulator() -> PaymentService:
    """A service with empty books."""
    return PaymentService(token="pay-conformance-token")


def settings(service: PaymentService) -> Settings:
    """A channel that uses it."""
    return Settings(channel="desk", base_url=service.base_url, payment_token=service.token)


def prepare(service: PaymentService, capability: str, request: Any) -> Command:
    """The customer authorised; for a refund the money was taken."""
    order = request.order_external_id
    match request:
        case PaymentCapture():
            held = service.authorise(order, request.amount + 1, request.currency)
            return msgspec.structs.replace(request, payment=held)
        case PaymentVoid():
            return msgspec.structs.replace(request, payment=service.authorise(order, 1000, "USD"))
        case PaymentRefund():
            held = service.authorise(order, request.amount, request.currency)
            service.held[held].captured = request.amount
            return msgspec.structs.replace(request, payments=())
    raise ValueError(f"the direct channel has no {capability}")


def effects(service: PaymentService, capability: str, request: Any) -> int:
    """How many times the money moved under the key."""
    resource = {"capture_payment": "captures", "void_payment": "voids", "refund_payment": "refunds"}[capability]
    return len(service.moved.get((resource, request.key), []))


HARNESS: Final = Harness[PaymentService, Settings](
    adapter=ADAPTER,
    folder=Path(__file__).parent,
    simulator=simulator,
    settings=settings,
    prepare=prepare,
    effects=effects,
)
