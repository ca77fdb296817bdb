"""Settings that are allowed and still cannot be meant: zero limits, settings without effect, empty groups."""

from collections.abc import Iterator, Mapping

from hub.routing.lint.finding import Note
from hub.routing.model import Policy
from hub.routing.positions import Path
from hub.routing.rules import Remainder


def notes(policy: Policy) -> Iterator[Note]:
    """What is wrong with the figures of a policy that loads."""
    yield from _table(policy, {name: getattr(policy, name) for name in policy.__struct_fields__}, ())
    for place, rule in enumerate(policy.rules):
        yield from _table(policy, rule.set, ("rule", place, "set"))
        for number, fallback in enumerate(rule.fallbacks):
            yield from _table(policy, fallback.set, ("rule", place, "fallback", number, "set"))
            if not fallback.set and not fallback.lift:
                yield Note("fall-through", ("rule", place, "fallback", number), "this fallback changes nothing")
    for place, kept in enumerate(policy.reservations):
        if kept.units == 0 and kept.percent == 0:
            yield Note("zero-limit", ("reservation", place), f"reservation {kept.name!r} keeps 0 units")
        if kept.percent == 100 and not kept.nodes and not kept.groups and not kept.classes:
            message = f"reservation {kept.name!r} keeps everything everywhere: other orders find no stock at all"
            yield Note("contradictory", ("reservation", place), message)
    for key, table in (("node_groups", policy.node_groups), ("markets", policy.markets)):
        for name, members in table.items():
            if not members:
                yield Note("empty-group", (key, name), f"{name!r} is empty")


def _table(policy: Policy, given: Mapping[str, object], path: Path) -> Iterator[Note]:
    """One table of settings: the policy's own, a rule's or a fallback's."""
    zeros = {
        "max_distance_km": "no node is nearer than 0 km: all are out",
        "unknown_distance_km": "a node without coordinates would be the nearest of all",
        "unknown_weight_g": "goods of unknown weight would weigh nothing",
    }
    for key, message in zeros.items():
        if given.get(key) == 0 and given.get(key) is not None:
            yield Note("zero-limit", (*path, key), message)
    terms = given.get("terms")
    for name, values in terms.items() if isinstance(terms, Mapping) else ():
        if isinstance(values, Mapping) and values and all(value == 0 for value in values.values()):
            yield Note("zero-limit", (*path, "terms", str(name)), f"cost term {name!r} costs 0: leave it out")
    yield from _at_odds(policy, given, path)


def _at_odds(policy: Policy, given: Mapping[str, object], path: Path) -> Iterator[Note]:
    used, skipped = given.get("use_groups"), given.get("skip_groups")
    if isinstance(used, list | tuple) and isinstance(skipped, list | tuple):
        for name in sorted(set(used) & set(skipped)):
            yield Note("contradictory", (*path, "skip_groups"), f"group {name!r} is both used and skipped")
    splits = given.get("max_splits")
    if given.get("keep_together") is True and isinstance(splits, int) and splits > 0:
        yield Note("contradictory", (*path, "max_splits"), "a group that is kept together has no splits")
    if given.get("prefer") and (given.get("weights") or given.get("terms")):
        key = "weights" if given.get("weights") else "terms"
        yield Note("contradictory", (*path, key), "cost terms do not count where `prefer` orders the plans")
    remainder = given.get("remainder", policy.remainder)
    if given.get("cancel_after_days") is not None and remainder == Remainder.QUEUE.value and not _cancels(policy):
        said = 'nothing is cancelled unless remainder = "cancel" or "backorder"'
        yield Note("contradictory", (*path, "cancel_after_days"), said)
    if given.get("stay_in_market") is True and not policy.markets:
        yield Note("empty-group", (*path, "stay_in_market"), "no markets are given: each country is one of its own")
    weights = given.get("weights")
    if isinstance(weights, Mapping) and "parcel" in weights and weights["parcel"] == 0 and policy.parcel_cost:
        yield Note(
            "zero-limit", (*path, "weights", "parcel"), "parcels cost nothing: orders will be split without need"
        )


def _cancels(policy: Policy) -> bool:
    """Whether anything in the policy makes it cancel."""
    changes = [rule.set for rule in policy.rules]
    changes += [fallback.set for rule in policy.rules for fallback in rule.fallbacks]
    ends = (Remainder.CANCEL.value, Remainder.BACKORDER.value)
    return any(change.get("remainder") in ends for change in changes)
