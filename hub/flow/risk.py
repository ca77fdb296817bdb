"""Ask the rules of holds of orders that are new or changed, in a batch; place what holds, lift what holds no longer."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from hub.domain.contact import Contact
from hub.domain.order import DeliveryGroup, Method, OrderContent
from hub.domain.payment import position
from hub.domain.states import OrderState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.hold_rules import Finding, HoldPolicy, judge
from hub.flow.late_hold import ask_back
from hub.flow.ports import Mark, Unit
from hub.flow.risk_facts import RiskView, Seen, facts_of, marks_of, secured

People = Mapping[str, Contact]

OUT_OF_DATE = ("cause", "payment")
"""Who lifted a hold that may be placed again for the same reason: nobody looked at it."""


async def question_risk(unit: Unit, orders: Iterable[Order], batch: Batch) -> None:
    """Judge orders with a new revision under their merchants' policies; nothing is read that no rule asks for."""
    asked = [
        (order, order.content, policy)
        for order in orders
        if order.acting
        and order.revised is not None
        and order.content is not None
        and order.state is not OrderState.CANCELLED
        and order.content.cancelled_at is None
        and (policy := batch.directory.hold_policy(order.merchant)).holds
    ]
    if not asked:
        return
    people = await _people(unit, asked)
    seen = await _history(unit, asked, people, batch)
    for order, content, policy in asked:
        _judge(order, content, policy, people[order.id], seen.get(order.id), batch)


async def rejudge(unit: Unit, orders: Sequence[Order], batch: Batch) -> None:
    """Judge stored orders again by what the clock changes."""
    asked = [(o, o.content, batch.directory.hold_policy(o.merchant)) for o in orders if o.content is not None]
    people = await _people(unit, asked)
    await unit.peers([order for order, _, _ in asked if not order.peers_known])
    for order, content, policy in asked:
        _judge(order, content, policy, people[order.id], None, batch)


Asked = Sequence[tuple[Order, OrderContent, HoldPolicy]]


async def _people(unit: Unit, asked: Asked) -> dict[str, People]:
    """Contacts of orders whose rules read them: those of the revision over those that are stored."""
    stored_ids = [order.id for order, _, policy in asked if policy.people and not order.fresh]
    stored = await unit.contacts(stored_ids) if stored_ids else {}
    return {order.id: {**stored.get(order.id, {}), **order.contacts} for order, _, _ in asked}


async def _history(unit: Unit, asked: Asked, people: Mapping[str, People], batch: Batch) -> dict[str, dict[str, Seen]]:
    """Earlier orders of the same people, for orders whose people are new here; their marks are kept.

    Two workers that take two orders of one customer in the same instant do not see each other's.
    """
    marks = []
    for order, content, policy in asked:
        if policy.history:
            window = timedelta(hours=policy.recent_hours)
            found = marks_of(people[order.id].get("customer"), _ship(content, None, people[order.id]))
            marks += [
                Mark(order.merchant, kind, mark, order.id, order.placed_at, order.placed_at - window)
                for kind, mark in sorted(found.items())
            ]
    if not marks:
        return {}
    told = await unit.history(marks)
    await unit.keep_marks([mark for mark in marks if not told[mark.order, mark.kind].known])
    seen: dict[str, dict[str, Seen]] = {}
    earlier: dict[tuple[str, str, bytes], list[Mark]] = {}
    for mark in marks:
        stored = told[mark.order, mark.kind]
        own = earlier.setdefault((mark.merchant, mark.kind, mark.mark), [])
        recent = sum(one.at > mark.since for one in own)
        counted = Seen(stored.before + len(own), stored.recent + recent, stored.known)
        seen.setdefault(mark.order, {})[mark.kind] = counted
        if not stored.known:
            own.append(mark)
    return {order: kinds for order, kinds in seen.items() if not all(one.known for one in kinds.values())}


def _is_transfer(content: OrderContent) -> bool:
    """By where goods go, not by what the source is called: anybody may write that."""
    return bool(content.groups) and all(group.method is Method.TRANSFER for group in content.groups)


def _ship(content: OrderContent, group: DeliveryGroup | None, people: People) -> Contact | None:
    chosen = group or next(iter(content.groups), None)
    return people.get((chosen.contact if chosen else None) or "ship")


def _judge(
    order: Order,
    content: OrderContent,
    policy: HoldPolicy,
    people: People,
    seen: Mapping[str, Seen] | None,
    batch: Batch,
) -> None:
    counted, transfer = bool(seen), _is_transfer(content)
    whole = _view(order, content, None, policy, people, seen, batch)
    views = [(whole, "order")]
    if policy.asked["group", counted, transfer][0]:
        groups = content.groups
        views += [(_view(order, content, one, policy, people, seen, batch), f"group:{one.key}") for one in groups]
    for view, scope in views:
        rules, names = policy.asked["order" if view is whole else "group", counted, transfer]
        for finding in judge(rules, facts_of(view, names), scope):
            _act(order, finding, policy, batch)
    if any(hold.active and "payment" in hold.lift_rule.split(",") and hold.policy for hold in order.holds.values()):
        _paid(order, whole, batch)


def _view(
    order: Order,
    content: OrderContent,
    group: DeliveryGroup | None,
    policy: HoldPolicy,
    people: People,
    seen: Mapping[str, Seen] | None,
    batch: Batch,
) -> RiskView:
    lines = content.lines if group is None else tuple(line for line in content.lines if line.group == group.key)
    return RiskView(
        content=content,
        connection=order.connection,
        account=batch.directory.accounts[order.account].name,
        lines=lines,
        group=group or next(iter(content.groups), None),
        ship=_ship(content, group, people),
        bill=people.get("bill"),
        customer=people.get("customer"),
        money=lambda: position(
            [*order.paid, *content.payments, *order.payments], order.currency, order.requests.values()
        ),
        seen=seen or {},
        policy=policy,
        check=batch.directory.address_check,
        now=batch.now,
    )


def _act(order: Order, finding: Finding, policy: HoldPolicy, batch: Batch) -> None:
    """Place a hold unless it stands, or somebody has looked at the same reason; lift one whose condition is gone."""
    rule = finding.rule
    if not finding.holds and not order.holds:
        return
    mine = [hold for hold in order.holds.values() if hold.kind == rule.kind and hold.scope == finding.scope]
    active = [hold for hold in mine if hold.active]
    if not finding.holds:
        for hold in active:
            if "change" in hold.lift_rule.split(","):
                order.end_hold(hold.no, batch.now, by="cause")
        return
    looked_at = any(hold.reason == finding.reason and hold.lifted_by not in OUT_OF_DATE for hold in mine)
    if active or looked_at:
        return
    order.hold(
        rule.kind,
        finding.reason,
        owner=rule.owner,
        at=batch.now,
        scope=finding.scope,
        rule=rule.lift_rule,
        stops=rule.stops,
        lift_at=batch.now + rule.timer if rule.timer else None,
        lift_role=rule.role,
        policy=policy.version,
    )
    ask_back(order, rule, finding.scope)


def _paid(order: Order, view: RiskView, batch: Batch) -> None:
    """The money is secured: what waits for it is lifted."""
    if not secured(view):
        return
    for hold in list(order.holds.values()):
        if hold.active and hold.policy and "payment" in hold.lift_rule.split(","):
            order.end_hold(hold.no, batch.now, by="payment")
