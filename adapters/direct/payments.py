"""Moving money through the merchant's payment service. Sends and decides nothing."""

from typing import Final

from adapters.direct import translate
from adapters.direct.settings import Settings
from hub.sdk.capabilities import Command, Context, PaymentCapture, PaymentRefund, PaymentVoid
from hub.sdk.outcomes import NeedsPerson, Outcome
from hub.sdk.wire import Request

BY_HAND: Final = (
    "Move the money by hand and say so (POST /api/v1/refunds/{id}/paid for a refund), or set `base_url` of the direct "
    "channel to a payment service and retry."
)


async def capture_payment(context: Context[Settings], request: PaymentCapture, /) -> Outcome:
    """Take authorised money."""
    return await _move(context, request, "captures", translate.capture_request(request))


async def void_payment(context: Context[Settings], request: PaymentVoid, /) -> Outcome:
    """Let an authorisation go."""
    return await _move(context, request, "voids", translate.void_request(request))


async def refund_payment(context: Context[Settings], request: PaymentRefund, /) -> Outcome:
    """Give money back."""
    return await _move(context, request, "refunds", translate.refund_request(request))


async def _move(context: Context[Settings], command: Command, resource: str, send: Request) -> Outcome:
    if context.settings.base_url is None:
        return NeedsPerson(reason="the direct channel has no payment service", next_step=BY_HAND)
    if command.look_first:
        look = await context.client.send(translate.look_request(resource, command.key))
        found = translate.read_look(look, resource, context.now())
        if found is not None:
            return found
    return translate.read(await context.client.send(send), resource, context.now())
