"""The table of events is complete, filters mean what they say, promises are compared, texts are read strictly."""

import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from hub.domain.demand import Demand, Slice
from hub.domain.events import Channel, Subscription, unknown_filters
from hub.domain.money import Amounts, AmountSet
from hub.domain.order import DeliveryGroup, OrderContent, OrderLine
from hub.domain.states import SliceState
from hub.flow.aggregate import Order
from hub.flow.notices import NoticesError, load_notices, message
from hub.flow.standing import Changed, Promise, changed_promises
from hub.flow.tell import BY_KIND, BY_NAME, TYPES, UNTOLD, events_of
from hub.registry import rule_text

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
MONDAY, FRIDAY = datetime(2026, 5, 4, tzinfo=UTC), datetime(2026, 5, 8, tzinfo=UTC)


def order(state: SliceState = SliceState.RESERVED, promised: datetime | None = None) -> Order:
    content = OrderContent(
        external_id="E1",
        version=1,
        number="1001",
        placed_at=NOW,
        currency="EUR",
        amounts=AmountSet(shop=Amounts(currency="EUR", subtotal=500)),
        lines=(OrderLine(external_id="L1", quantity=2, sku="A", title="Apples"),),
        groups=(DeliveryGroup(deliver_by=MONDAY),),
    )
    made = Order(
        id="01ARZ3NDEKTSV4RRFFQ6",
        merchant="default",
        account=1,
        connection="shop",
        external_id="E1",
        number="1001",
        currency="EUR",
        placed_at=NOW,
        version=1,
        revision=1,
        acting=True,
        content=content,
        demands={1: Demand(no=1, line="L1", group="main", sku="A", item=7, quantity=2)},
        slices={1: Slice(no=1, demand=1, quantity=2, state=state, node=3, promised_at=promised)},
    )
    made.remember()
    return made


def test_every_word_of_the_timeline_is_told_or_named_as_untold() -> None:
    said: dict[str, str] = {}
    for path in sorted((ROOT / "hub" / "flow").glob("*.py")):
        text = path.read_text("utf-8")
        for kind in re.findall(r"\.note\(\s*(?:[\w.]+),\s*\"([a-z_]+)\"", text):
            said[kind] = path.name
    unknown = {kind: name for kind, name in said.items() if kind not in BY_KIND and kind not in UNTOLD}
    assert len(said) > 25
    assert not unknown, "state these words of the timeline in hub/flow/tell.py: TYPES, or UNTOLD"
    assert not set(BY_KIND) & UNTOLD


def test_names_are_unique_and_every_kind_has_one_type() -> None:
    assert len(BY_NAME) == len(TYPES)
    assert len(BY_KIND) == sum(len(type.kinds) for type in TYPES)
    assert all(re.fullmatch(r"crossdock\.[a-z]+\.[a-z_]+", type.name) for type in TYPES)


def test_a_filter_names_types_or_their_beginning() -> None:
    one = Subscription(
        id="s", merchant="m", channel=Channel.WEBHOOK, types=("crossdock.order.*", "crossdock.refund.done")
    )
    assert one.wants("crossdock.order.held", "shop")
    assert one.wants("crossdock.refund.done", "shop")
    assert not one.wants("crossdock.refund.asked", "shop")
    assert Subscription(id="s", merchant="m", channel=Channel.WEBHOOK).wants("crossdock.order.held", "shop")
    assert not replace(one, connections=("till",)).wants("crossdock.order.held", "shop")
    assert unknown_filters(["crossdock.*", "crossdock.ordr.*", "order.held"], BY_NAME) == [
        "crossdock.ordr.*",
        "order.held",
    ]


def test_the_same_change_gives_the_same_ids_and_another_gives_others() -> None:
    one, same, other = order(), order(), order()
    one.note(NOW, "hold_placed", "manual: because")
    same.note(NOW, "hold_placed", "manual: because")
    other.note(NOW, "hold_placed", "fraud: because")
    (first,), (second,), (third,) = (events_of(o, NOW, {}) for o in (one, same, other))
    assert first == second
    assert first.key != third.key
    assert len(first.key) <= 40
    assert msgspec.json.decode(first.data)["hold"] == "manual"
    assert b"because" not in first.data, "reasons are free text and may hold anything"
    one.note(NOW, "hold_placed", "manual: because")
    assert len({event.key for event in events_of(one, NOW, {})}) == 2, "twice is two"


def test_a_promise_that_stays_is_not_told() -> None:
    one = order()
    one.slices[1] = replace(one.slices[1], state=SliceState.RELEASED)
    assert changed_promises(one) == []
    one.slices[1] = replace(one.slices[1], state=SliceState.SHIPPED)
    assert changed_promises(one) == [], "what has left has no promise any more"


def test_a_new_date_is_told_with_its_cause() -> None:
    one = order()
    one.slices[1] = replace(one.slices[1], state=SliceState.BACKORDERED, node=None, promised_at=FRIDAY)
    assert changed_promises(one) == [
        Changed("main", Promise(MONDAY, waiting=False), Promise(FRIDAY, waiting=True), "out_of_stock")
    ]
    back = order(SliceState.BACKORDERED, FRIDAY)
    back.slices[1] = replace(back.slices[1], state=SliceState.RESERVED, promised_at=None)
    assert [found.cause for found in changed_promises(back)] == ["back_in_stock"]
    slipped = order(SliceState.BACKORDERED, MONDAY)
    slipped.slices[1] = replace(slipped.slices[1], promised_at=FRIDAY)
    assert [(found.now.at, found.cause) for found in changed_promises(slipped)] == [(FRIDAY, "late")]
    amended = order()
    assert amended.content is not None
    amended.content = replace(amended.content, groups=(DeliveryGroup(deliver_by=FRIDAY),))
    amended.revised = (amended.content, None, NOW)
    assert [(found.before.at, found.now.at, found.cause) for found in changed_promises(amended)] == [
        (MONDAY, FRIDAY, "changed")
    ]


@pytest.mark.parametrize("language", ["en", "de"])
def test_shipped_texts_fill_every_place(language: str) -> None:
    notices = load_notices(rule_text("notices", language))
    one = order()
    one.slices[1] = replace(one.slices[1], state=SliceState.BACKORDERED, node=None, promised_at=FRIDAY)
    (event,) = events_of(one, NOW, {})
    said = message(notices, event.type, event.data, "https://hub.example/o/x")
    assert said is not None
    assert "1001" in said.subject
    assert "2026-05-08" in said.text
    assert notices.causes["out_of_stock"] in said.text
    assert "https://hub.example/o/x" in said.text
    assert "{" not in said.subject + said.text
    assert message(notices, "crossdock.order.routed", event.data, "") is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("expect it: {promised}", "expect it: {date_of_birth}", "crossdock.promise.changed.text: {date_of_birth}"),
        ('[notices."crossdock.promise.changed"]', '[notices."crossdock.promise.chnged"]', "is no event type"),
        ('late = "It takes longer than we said."', "", "causes.late is missing"),
        ('too_late = "', 'to_late = "', "to_late"),
        ('language = "en"', "language = 1", "$.language"),
        ('partly_sent = "Partly on its way"', "", "stages.partly_sent is missing"),
    ],
)
def test_texts_that_cannot_be_used_say_where(old: str, new: str, said: str) -> None:
    text = rule_text("notices", "en")
    assert old in text
    with pytest.raises(NoticesError, match=re.escape(said)):
        load_notices(text.replace(old, new, 1))
