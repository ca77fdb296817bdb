"""Every change of a state that is stored, written down by the database itself and held against the tables."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from hub.domain.states import (
    CANCEL_MOVES,
    HANDOFF_MOVES,
    ORDER_MOVES,
    REFUND_MOVES,
    REQUEST_MOVES,
    RETURN_MOVES,
    SLICE_CORRECTIONS,
    SLICE_MOVES,
    SliceState,
)
from tests.scenarios.house import House

TABLES: Final[Mapping[str, str]] = {
    "customer_order": "state",
    "slice": "state",
    "fulfilment_order": "handoff",
    "cancel_request": "state",
    "return_order": "state",
    "refund": "state",
    "payment_request": "state",
}

WATCH: Final = """
CREATE TABLE life_move (what text, key text, was text, now text, same boolean);
CREATE FUNCTION life_moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE old_row jsonb := to_jsonb(OLD); new_row jsonb := to_jsonb(NEW);
BEGIN
  IF old_row ->> TG_ARGV[0] <> new_row ->> TG_ARGV[0] THEN
    INSERT INTO life_move VALUES (TG_TABLE_NAME, coalesce(new_row ->> 'order_id', new_row ->> 'id'),
      old_row ->> TG_ARGV[0], new_row ->> TG_ARGV[0],
      coalesce(old_row ->> 'fulfilment_no' = new_row ->> 'fulfilment_no', false));
  END IF;
  RETURN NULL;
END $$;
"""


def _reach(moves: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """Where steps of a table lead from each state: one transaction may take several."""
    found = {}
    for start in moves:
        seen: set[str] = set()
        ahead = list(moves[start])
        while ahead:
            state = ahead.pop()
            if state not in seen:
                seen.add(state)
                ahead.extend(moves[state])
        found[start] = frozenset(seen)
    return found


def _words(table: Mapping[StrEnum, frozenset[StrEnum]]) -> dict[str, set[str]]:
    return {state.value: {target.value for target in targets} for state, targets in table.items()}


def _slices() -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """(with the same fulfilment order, over any number of them). Nobody here says that goods had not left after all."""
    forward = _words(SLICE_MOVES)  # type: ignore[arg-type]
    loose = {SliceState.UNALLOCATED.value, SliceState.RESERVED.value, SliceState.BACKORDERED.value}
    same = {state: targets - loose for state, targets in forward.items() if state not in loose}
    every = {state: set(targets) for state, targets in forward.items()}
    for name, (origins, target) in SLICE_CORRECTIONS.items():
        for origin in origins if name != "not_dispatched" else ():
            every[origin.value].add(target.value)
    return _reach(same), _reach(every)


WITH_ONE, OVERALL = _slices()

ALLOWED: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    name: _reach(_words(table))  # type: ignore[arg-type]
    for name, table in (
        ("customer_order", ORDER_MOVES),
        ("fulfilment_order", HANDOFF_MOVES),
        ("cancel_request", CANCEL_MOVES),
        ("return_order", RETURN_MOVES),
        ("refund", REFUND_MOVES),
        ("payment_request", REQUEST_MOVES),
    )
}


async def watch(house: House) -> None:
    """Let the database write down every change of a state."""
    await house.run(WATCH)
    for table, column in TABLES.items():
        await house.run(
            f"CREATE TRIGGER life_moved AFTER UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION life_moved('{column}')"
        )


async def illegal_moves(house: House) -> list[str]:
    """What was stored since the last look and is on no edge of its table."""
    rows = await house.rows("DELETE FROM life_move RETURNING *")
    found = []
    for row in rows:
        if row["what"] == "slice":
            allowed = (WITH_ONE if row["same"] else OVERALL).get(row["was"], frozenset())
        else:
            allowed = ALLOWED[row["what"]][row["was"]]
        if row["now"] not in allowed:
            found.append(f"{row['what']} of {row['key']}: {row['was']} -> {row['now']}")
    return found
