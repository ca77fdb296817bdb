"""What may come back, until when, and what it costs: returns policies from TOML, judged without I/O or clock."""

import tomllib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

import msgspec

from hub.domain.money import MINOR_UNITS
from hub.domain.returns import Disposition, RefundWhen

KEYS_OF_REASON: Final = "window_days approve refund inspect label fee_percent fee refund_shipping keep_below exchange"


class ReturnPolicyError(ValueError):
    """A policy text that cannot be used; the text says which key and why."""


class Overrides(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a reason says otherwise; None leaves it as it stands."""

    window_days: int | None = None
    approve: Literal["auto", "person"] | None = None
    refund: RefundWhen | None = None
    inspect: bool | None = None
    label: bool | None = None
    fee_percent: int | None = None
    fee: int | None = None
    refund_shipping: Literal["never", "all"] | None = None
    keep_below: int | None = None
    exchange: bool | None = None


class ClassRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for items of a class."""

    returnable: bool = True
    window_days: int | None = None


class RouteTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cost terms of the router for goods that come back, in thousandths of a minor unit of `currency`."""

    currency: str = "USD"
    per_parcel: int = 500_000
    per_km: int = 100
    per_kg: int = 40_000
    unknown_distance_km: int = 20_000
    stocked_units: int = 50
    stocked_cost: int = 0
    handling: dict[str, int] = {}
    """By kind of node."""


class ReturnPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A returns policy. Immutable; a return names the version that judged it."""

    version: str
    window_days: int = 30
    approve: Literal["auto", "person"] = "auto"
    refund: RefundWhen = RefundWhen.AFTER_GRADE
    inspect: bool = True
    label: bool = True
    fee_percent: int = 0
    fee: int = 0
    refund_shipping: Literal["never", "all"] = "never"
    keep_below: int = 0
    exchange: bool = True
    unknown_reasons: bool = True
    reasons: dict[str, Overrides] = {}
    classes: dict[str, ClassRule] = {}
    dispositions: dict[Disposition, int] = {}
    route: RouteTerms = RouteTerms()

    def under(self, reason: str) -> "ReturnPolicy":
        """The policy as it stands for a reason."""
        own = self.reasons.get(reason)
        if own is None:
            return self
        said = {key: value for key in KEYS_OF_REASON.split() if (value := getattr(own, key)) is not None}
        return msgspec.structs.replace(self, **said)

    def percent(self, disposition: Disposition) -> int:
        """Share of the goods' value that goes back."""
        return self.dispositions.get(disposition, 0 if disposition is Disposition.SENT_BACK else 100)


def load_return_policy(text: str) -> ReturnPolicy:
    """Read a policy. Raises `ReturnPolicyError` for the first thing that is wrong."""
    try:
        policy = msgspec.convert(tomllib.loads(text), ReturnPolicy, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ReturnPolicyError(f"returns policy: {error}") from error
    for key, fine, told in (
        ("version", bool(policy.version), "a policy needs a version"),
        ("window_days", policy.window_days >= 0, "a window does not end before it begins"),
        ("fee_percent", 0 <= policy.fee_percent <= 100, "must be from 0 to 100"),
        ("fee", policy.fee >= 0, "must not be negative"),
        ("keep_below", policy.keep_below >= 0, "must not be negative"),
        ("route.currency", policy.route.currency in MINOR_UNITS, "is not an ISO 4217 code"),
        ("dispositions", all(0 <= share <= 100 for share in policy.dispositions.values()), "are from 0 to 100"),
    ):
        if not fine:
            raise ReturnPolicyError(f"returns policy: {key} {told}")
    return policy


class Candidate(NamedTuple):
    """Units that somebody wants to give back."""

    line: str
    reason: str
    left_at: datetime | None
    """When the customer had them, as far as anybody told."""
    classes: tuple[str, ...] = ()
    ships: bool = True


class Verdict(NamedTuple):
    """Whether units may come back, and why not."""

    line: str
    why_not: str | None

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against it."""
        return self.why_not is None


def judge(policy: ReturnPolicy, wanted: Sequence[Candidate], now: datetime) -> list[Verdict]:
    """Judge each candidate by class, reason and window."""
    return [Verdict(one.line, _why_not(policy, one, now)) for one in wanted]


def _why_not(policy: ReturnPolicy, one: Candidate, now: datetime) -> str | None:
    if not one.ships:
        return "nothing was shipped that could come back: refund it without goods"
    if one.reason not in policy.reasons and not policy.unknown_reasons:
        return f"{one.reason!r} is not one of the reasons {', '.join(sorted(policy.reasons))}"
    days = policy.under(one.reason).window_days
    for name in one.classes:
        rule = policy.classes.get(name)
        if rule is not None and not rule.returnable:
            return f"items of the class {name} cannot be returned"
        if rule is not None and rule.window_days is not None:
            days = min(days, rule.window_days)
    if one.left_at is not None and now > one.left_at + timedelta(days=days):
        return f"the window of {days} days ended on {(one.left_at + timedelta(days=days)).date().isoformat()}"
    return None
