"""Cancelling an order at Shopify."""

import asyncio
from typing import Final

from adapters.shopify import documents, messages
from adapters.shopify.client import Shop, call, gid
from adapters.shopify.messages import CancelState
from hub.sdk.capabilities import ChannelCancel
from hub.sdk.outcomes import NeedsPerson, Outcome, Uncertain

POLLS: Final = 5
POLL_SECONDS: Final = 0.4


async def cancel_order(context: Shop, request: ChannelCancel, /) -> Outcome:
    """Cancel, restock, tell the customer; captured money stays until a refund is decided.

    Shopify answers with a job, and a job that is done says nothing about success: the order's own state decides.
    A job that runs on is Uncertain, so the next try looks again.
    """
    order = gid("Order", request.order_external_id)
    state = await call(context, documents.CANCELLED, {"id": order}, "order", CancelState)
    if state is None:
        return NeedsPerson(
            reason=f"order {request.order_external_id} cannot be read at Shopify",
            next_step="check read_orders and read_all_orders, and whether the order was deleted",
        )
    before = messages.read_cancelled(state, request, sent=False)
    if before is not None:
        return before
    variables = messages.cancel_request(request, order)
    answer = await call(context, documents.CANCEL, variables, "orderCancel", messages.Cancelling)
    if answer is None:
        return Uncertain(reason=f"order {state.name}: Shopify's answer to the cancel is empty")
    failed = messages.read_cancel(answer, state.name)
    if failed is not None:
        return failed
    finished = await _finished(context, answer.job)
    after = await call(context, documents.CANCELLED, {"id": order}, "order", CancelState)
    done = messages.read_cancelled(after, request, sent=True)
    if done is not None:
        return done
    if not finished:
        return Uncertain(reason=f"order {state.name}: Shopify is still cancelling it")
    return NeedsPerson(
        reason=f"order {state.name}: Shopify finished the cancel, but the order is not cancelled",
        next_step="look at the order in the shop's admin: active returns or a closed location stop a cancel",
    )


async def _finished(context: Shop, job: messages.Job | None) -> bool:
    """Whether the job ended within a few polls."""
    for poll in range(POLLS):
        if job is None or job.done:
            return True
        await asyncio.sleep(POLL_SECONDS if poll else 0)
        job = await call(context, documents.JOB, {"id": job.id}, "job", messages.Job)
    return job is None or job.done
