"""The direct channel: an account, and money moved by the merchant's payment service or by hand."""

from datetime import UTC, datetime

from adapters.direct.adapter import ADAPTER
from adapters.direct.payments import refund_payment
from adapters.direct.settings import Settings
from hub.domain.network import Connection
from hub.sdk.capabilities import Context, PaymentRefund
from hub.sdk.outcomes import NeedsPerson
from hub.sdk.wire import Request, Response


class Nobody:
    """A client that must not be used."""

    async def send(self, request: Request) -> Response:
        raise AssertionError(f"{request.operation} was sent to nobody")


def test_it_has_an_account_and_moves_money() -> None:
    assert ADAPTER.account(Settings(channel="b2b-desk")) == "b2b-desk"
    assert ADAPTER.capabilities == ("capture_payment", "void_payment", "refund_payment")


async def test_without_a_payment_service_a_person_is_asked() -> None:
    context = Context(
        connection=Connection(id="c1", merchant="default", account=1, account_name="d", adapter="direct", name="d"),
        settings=Settings(),
        client=Nobody(),
        now=lambda: datetime.now(UTC),
    )
    request = PaymentRefund(key="k-1", order_external_id="1001", amount=500, currency="EUR")
    outcome = await refund_payment(context, request)
    assert isinstance(outcome, NeedsPerson)
    assert "/paid" in outcome.next_step
