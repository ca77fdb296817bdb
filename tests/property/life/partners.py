"""Made-up partners in this process: each counts its effects, loses replies, refuses and is away as it is bidden."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from hub.domain.facts import AnyFact, StockMeaning
from hub.domain.money import Amounts, AmountSet
from hub.domain.order import DeliveryGroup, OrderContent, OrderLine, OrderSnapshot
from hub.domain.payment import Payment, PaymentKind
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Topic
from hub.sdk.capabilities import (
    AvailabilityUpdate,
    ChannelCancel,
    ChannelLineCancel,
    Command,
    Context,
    FulfilmentCancel,
    FulfilmentRequest,
    PaymentCapture,
    PaymentRefund,
    PaymentVoid,
    ShipmentConfirmation,
)
from hub.sdk.outcomes import Done, Interrupted, Outcome, Refused, RetryLater, Uncertain
from hub.sdk.posting import PostingRequest
from hub.sdk.translate import Tables
from hub.sdk.wire import Transport

SHIPPING = 490


class Named(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Config of a made-up partner."""

    name: str
    base_url: str | None = None


def read_orders(body: bytes, tables: Tables) -> tuple[OrderSnapshot, ...]:
    """The market speaks the hub's own language."""
    return (msgspec.json.decode(body, type=OrderSnapshot),)


@dataclass(kw_only=True)
class Partner:
    """Whom the hub writes to. What took effect is counted by key; nothing may take effect twice."""

    name: str
    kind: Kind
    away: bool = False
    faults: deque[str] = field(default_factory=deque)
    """What befalls the next calls: "lost" acts and says nothing, "vague" does not act and says nothing, "weather"."""
    answers: dict[str, Outcome] = field(default_factory=dict)
    effects: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def act(self, request: Command, work: Callable[[], Outcome]) -> Outcome:
        """Answer a command: found if it was done before and the hub looks, else done now."""
        fault = "weather" if self.away else self.faults.popleft() if self.faults else ""
        if fault == "weather":
            raise Interrupted(RetryLater(reason="away"))
        if fault == "vague":
            raise Interrupted(Uncertain(reason="no answer"))
        known = self.answers.get(request.key)
        if request.look_first and known is not None:
            return msgspec.structs.replace(known, found=True) if isinstance(known, Done) else known
        self.effects[request.key] += 1
        self.answers[request.key] = work()
        if fault == "lost":
            raise Interrupted(Uncertain(reason="the reply was lost"))
        return self.answers[request.key]

    def adapter(self, **abilities: Any) -> Adapter:
        """The partner's adapter."""
        return Adapter(
            name=self.name,
            title=self.name,
            kind=self.kind,
            settings=Named,
            account=lambda settings: settings.name,
            transport=lambda settings: Transport(base_url=f"https://{self.name}.invalid"),
            **abilities,
        )


@dataclass(kw_only=True)
class Line:
    """A line of a sale."""

    sku: str
    ordered: int
    wanted: int
    price: int


@dataclass(kw_only=True)
class Sale:
    """An order in the market's own books."""

    id: str
    lines: dict[str, Line]
    group: DeliveryGroup
    prepaid: bool
    approve: bool = False
    """A company's: somebody there has to approve it."""
    version: int = 1
    most: dict[str, int] = field(default_factory=dict)
    """The most units that were ever wanted, by line."""
    payments: list[Payment] = field(default_factory=list)
    cancelled_at: datetime | None = None
    confirmed: Counter[str] = field(default_factory=Counter)
    handed: Counter[str] = field(default_factory=Counter)
    """Units that somebody sent by hand, of which nothing is said to the hub but in the sale itself."""
    told: list[tuple[int, bytes]] = field(default_factory=list)
    placed_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def amounts(self) -> Amounts:
        """What was sold, at its price; an edit of quantities leaves it."""
        goods = sum(line.ordered * line.price for line in self.lines.values())
        tax = sum(line.ordered * line.price * 8 // 100 for line in self.lines.values())
        return Amounts(currency="EUR", subtotal=goods, tax=tax, shipping=SHIPPING)

    def total(self, kind: PaymentKind) -> int:
        """Minor units of a kind."""
        return sum(payment.amount for payment in self.payments if payment.kind is kind)

    def pay(self, id: str, kind: PaymentKind, amount: int, parent: str | None = None) -> Payment:
        """Book a payment."""
        made = Payment(
            external_id=id,
            kind=kind,
            method="card",
            amount=amount,
            currency="EUR",
            status="done",
            parent=parent,
            at=datetime.now(UTC),
        )
        self.payments.append(made)
        return made

    def content(self) -> OrderContent:
        """The sale as it is now."""
        lines = tuple(
            OrderLine(
                external_id=name,
                sku=line.sku,
                quantity=line.wanted,
                ordered=line.ordered,
                subtotal=line.ordered * line.price,
                tax=line.ordered * line.price * 8 // 100,
                fulfilled_elsewhere=self.confirmed[name] + self.handed[name],
            )
            for name, line in self.lines.items()
        )
        return OrderContent(
            external_id=self.id,
            version=self.version,
            number=self.id,
            placed_at=self.placed_at,
            currency="EUR",
            amounts=AmountSet(shop=self.amounts),
            lines=lines,
            groups=(self.group,),
            payments=tuple(self.payments),
            cancelled_at=self.cancelled_at,
            financial_status="paid" if self.prepaid else "authorised",
            company="acme" if self.approve else None,
            approval_asked=self.approve,
        )


@dataclass(kw_only=True)
class Market(Partner):
    """Where people buy. The hub captures what was authorised."""

    sales: dict[str, Sale] = field(default_factory=dict)

    async def confirm(self, context: Context[Named], request: ShipmentConfirmation, /) -> Outcome:
        """Goods left."""
        sale = self.sales[request.order_external_id]

        def work() -> Outcome:
            for line in request.lines:
                sale.confirmed[line.line] += line.quantity
            return Done()

        return self.act(request, work)

    async def cancel(self, context: Context[Named], request: ChannelCancel, /) -> Outcome:
        """The hub was told to cancel."""
        sale = self.sales[request.order_external_id]

        def work() -> Outcome:
            sale.cancelled_at = sale.cancelled_at or datetime.now(UTC)
            return Done()

        return self.act(request, work)

    async def take_off(self, context: Context[Named], request: ChannelLineCancel, /) -> Outcome:
        """The hub cancelled units of lines."""
        sale = self.sales[request.order_external_id]

        def work() -> Outcome:
            for line in request.lines:
                known = sale.lines[line.line]
                known.wanted -= max(0, min(line.quantity, known.wanted - line.remaining))
            return Done()

        return self.act(request, work)

    async def capture(self, context: Context[Named], request: PaymentCapture, /) -> Outcome:
        """Take money."""
        sale = self.sales[request.order_external_id]

        def work() -> Outcome:
            if sale.total(PaymentKind.VOID):
                self.violations.append(f"{request.key} captures what was let go")
            return Done(payments=(sale.pay(request.key, PaymentKind.CAPTURE, request.amount, request.payment),))

        return self.act(request, work)

    async def void(self, context: Context[Named], request: PaymentVoid, /) -> Outcome:
        """Let money go."""
        sale = self.sales[request.order_external_id]

        def work() -> Outcome:
            amount = sale.total(PaymentKind.AUTHORISE)
            return Done(payments=(sale.pay(request.key, PaymentKind.VOID, amount, request.payment),))

        return self.act(request, work)

    async def refund(self, context: Context[Named], request: PaymentRefund, /) -> Outcome:
        """Give money back."""
        sale = self.sales[request.order_external_id]
        return self.act(request, lambda: Done(payments=(sale.pay(request.key, PaymentKind.REFUND, request.amount),)))

    async def publish(self, context: Context[Named], request: AvailabilityUpdate, /) -> Outcome:
        """Levels: a state, told as often as one likes."""
        if self.away:
            raise Interrupted(RetryLater(reason="away"))
        return Done()

    def known_to_hub(self) -> Adapter:
        """The market's adapter."""
        return self.adapter(
            topics={"orders": Topic(lane=Lane.ORDERS, form=Form.SNAPSHOT, translate=read_orders)},
            confirm_shipment=self.confirm,
            cancel_order=self.cancel,
            cancel_lines=self.take_off,
            capture_payment=self.capture,
            void_payment=self.void,
            refund_payment=self.refund,
            publish_availability=self.publish,
        )


@dataclass(kw_only=True)
class Job:
    """A fulfilment order as a depot has it."""

    fulfilment: str
    location: str
    skus: dict[str, str]
    left: dict[str, int]
    """Units still to be shipped, by line."""
    state: str = "open"
    packed: bool = False
    parcels: int = 0

    @property
    def open(self) -> bool:
        """Whether something may still leave."""
        return self.state == "open" and any(self.left.values())


@dataclass(kw_only=True)
class Depot(Partner):
    """A partner with warehouses: it ships what lies on its shelves, and says so when it likes."""

    jobs: dict[str, Job] = field(default_factory=dict)
    shelves: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Units by (location, SKU)."""
    says: list[tuple[str, AnyFact]] = field(default_factory=list)
    """(key, fact) of what nobody has been told yet."""
    refusals: deque[StockMeaning] = field(default_factory=deque)

    async def submit(self, context: Context[Named], request: FulfilmentRequest, /) -> Outcome:
        """Take work on, or refuse it."""
        lines = {line.line: line for line in request.lines}

        def work() -> Outcome:
            if request.fulfilment in self.jobs:
                self.violations.append(f"{request.fulfilment} was asked for twice")
            made = Job(
                fulfilment=request.fulfilment,
                location=request.location or "",
                skus={name: line.sku for name, line in lines.items()},
                left={name: line.quantity for name, line in lines.items()},
            )
            self.jobs[request.fulfilment] = made
            if self.refusals:
                made.state = "refused"
                return Refused(reason="no", stock=self.refusals.popleft())
            return Done(reference=f"D{len(self.jobs)}")

        return self.act(request, work)

    async def stop(self, context: Context[Named], request: FulfilmentCancel, /) -> Outcome:
        """Stop, unless something has left or is packed."""
        job = self.jobs.get(request.fulfilment)

        def work() -> Outcome:
            if job is None:
                self.violations.append(f"{request.fulfilment} is stopped and was never asked for")
                return Done()
            if job.parcels or job.packed:
                return Refused(reason="too late")
            job.state = "refused" if job.state == "refused" else "stopped"
            return Done()

        return self.act(request, work)

    def known_to_hub(self) -> Adapter:
        """The depot's adapter."""
        return self.adapter(submit_fulfilment=self.submit, cancel_fulfilment=self.stop)


@dataclass(kw_only=True)
class Ledger(Partner):
    """The books: documents by what they are about."""

    documents: Counter[tuple[str, str, str | None]] = field(default_factory=Counter)
    sums: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def post(self, context: Context[Named], request: PostingRequest, /) -> Outcome:
        """Book a document."""

        def work() -> Outcome:
            if request.kind.value != "credit_note":
                self.documents[request.order, request.kind.value, request.shipment] += 1
            self.sums[request.order, request.kind.value] += request.total
            return Done(reference=request.key)

        return self.act(request, work)

    def known_to_hub(self) -> Adapter:
        """The ledger's adapter."""
        return self.adapter(post=self.post)
