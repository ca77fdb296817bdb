"""A policy against the nodes that there are: names that nobody has, and what nodes lack that the policy reads."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.routing.lint.conditions import conditions
from hub.routing.lint.finding import Note
from hub.routing.model import NodeState, Policy
from hub.routing.tokens import readings, tokens_of


def notes(policy: Policy, nodes: Sequence[NodeState]) -> Iterator[Note]:
    """What does not fit together. Nodes that are disabled or serve nobody may lack what they like."""
    codes = {node.code for node in nodes}
    for name, members in policy.node_groups.items():
        unknown = [code for code in members if code not in codes]
        if members and len(unknown) == len(members):
            yield Note("empty-group", ("node_groups", name), f"{name!r} has no node: there is no {', '.join(unknown)}")
        elif unknown:
            yield Note("unknown-node", ("node_groups", name), f"there is no node {', '.join(unknown)}")
    for key, parts in (("blackout", policy.blackouts), ("reservation", policy.reservations)):
        for place, part in enumerate(parts):
            for code in part.nodes:  # type: ignore[attr-defined]
                if code not in codes:
                    yield Note("unknown-node", (key, place, "nodes"), f"there is no node {code}")
    usable = [node for node in nodes if node.usable]
    yield from _missing(policy, usable)
    yield from _capacity(usable)
    yield from _capabilities(policy, usable)


def _named(nodes: Sequence[NodeState]) -> str:
    return ", ".join(node.code for node in nodes)


def _missing(policy: Policy, nodes: Sequence[NodeState]) -> Iterator[Note]:
    read = {fact.name for _, source in conditions(policy) for fact in readings(tokens_of(source), ("node",))}
    settings = _all_settings(policy)
    unlocated = [node for node in nodes if node.latitude is None or node.longitude is None]
    if unlocated and ("distance_km" in read or any(_reads_distance(one) for one in settings)):
        far = f"counts as {policy.unknown_distance_km} km away"
        yield Note("missing-coordinates", (), f"the policy reads distances, and each of {_named(unlocated)} {far}")
    nowhere = [node for node in nodes if node.country is None]
    if nowhere and ({"country", "same_country", "same_market"} & read or any(_reads_country(one) for one in settings)):
        yield Note("missing-country", (), f"the policy reads countries, and {_named(nowhere)} has none: it is out")
    timeless = [node for node in nodes if _zone(node.timezone) is None]
    if timeless:
        yield Note("unknown-timezone", (), f"no such time zone at {_named(timeless)}: cut-offs there count as missed")
    closed = [node for node in nodes if not node.calendar.weekdays]
    if closed:
        yield Note("empty-calendar", (), f"{_named(closed)} works on no day of the week: what it sends is always late")


def _all_settings(policy: Policy) -> list[dict[str, object]]:
    own: dict[str, object] = {name: getattr(policy, name) for name in policy.__struct_fields__}
    fallbacks = [fallback.set for rule in policy.rules for fallback in rule.fallbacks]
    return [own, *(rule.set for rule in policy.rules), *fallbacks]


def _reads_distance(settings: dict[str, object]) -> bool:
    prefer = settings.get("prefer")
    preferred = isinstance(prefer, list | tuple) and "distance" in prefer
    return bool(settings.get("per_km")) or settings.get("max_distance_km") is not None or preferred


def _reads_country(settings: dict[str, object]) -> bool:
    terms = settings.get("terms")
    border = isinstance(terms, dict) and "border" in terms
    return bool(settings.get("stay_in_country")) or bool(settings.get("stay_in_market")) or border


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _capacity(nodes: Sequence[NodeState]) -> Iterator[Note]:
    full = [node for node in nodes if node.capacity is not None and node.capacity < 1]
    if full:
        yield Note("zero-limit", (), f"{_named(full)} may take no fulfilment orders a day: disable it, or give it room")


def _capabilities(policy: Policy, nodes: Sequence[NodeState]) -> Iterator[Note]:
    able = {capability for node in nodes for capability in node.capabilities}
    for kind, needs in policy.class_needs.items():
        for need in needs:
            if need not in able:
                yield Note("no-node", ("class_needs", kind), f"no node is capable of {need!r}, which {kind!r} needs")
