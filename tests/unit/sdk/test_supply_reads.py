"""Open purchase orders are told where they changed."""

from datetime import UTC, date, datetime

import pytest

from hub.domain.facts import SupplyLine, SupplyReported
from hub.mapping.tables import CodeTables
from hub.sdk import supply_reads
from hub.sdk.supply_reads import supply_facts, supply_pages
from hub.sdk.translate import Malformed

NOW = datetime(2026, 1, 15, tzinfo=UTC)
LINE = SupplyLine(location="WH", sku="MUG", quantity=1, due=date(2026, 2, 1))


def test_a_read_that_is_cut_short_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supply_reads, "AT_ONCE", 2)
    orders = {f"P{n}": [LINE] for n in range(5)}
    first = next(supply_pages(orders, None, NOW))
    rest = list(supply_pages(orders, first.cursor, NOW))
    assert [len(page.items) for page in rest] == [2, 1, 0]
    whole = [item.key for page in supply_pages(orders, None, NOW) for item in page.items]
    assert [item.key for page in (first, *rest) for item in page.items] == whole
    assert [page.items for page in supply_pages(orders, rest[-1].cursor, NOW)] == [()]


def test_all_that_went_is_told_without_lines() -> None:
    *_, last = supply_pages({"P1": [LINE], "P2": [LINE]}, None, NOW)
    gone = next(supply_pages({"P1": [LINE]}, last.cursor, NOW))
    facts = [fact for item in gone.items for fact in supply_facts(item.body, CodeTables({}))]
    assert [(fact.reference, fact.lines) for fact in facts if isinstance(fact, SupplyReported)] == [("P2", ())]


def test_a_body_that_is_none_is_malformed() -> None:
    with pytest.raises(Malformed, match="reference"):
        supply_facts(b'{"type":"SupplyReported","at":"2026-01-15T00:00:00Z"}', CodeTables({}))
