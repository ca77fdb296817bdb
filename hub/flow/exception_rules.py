"""How bad an exception is, how soon somebody must see to it, and who: rules from TOML, read without I/O or clock."""

import tomllib
from enum import StrEnum
from typing import Annotated, Final

import msgspec


class Severity(StrEnum):
    """How bad it is. Critical: goods or money go wrong every minute. Info: nothing waits for it."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    INFO = "info"


class ExceptionRuleError(ValueError):
    """A text that cannot be used; it says which key and why."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for exceptions of a kind."""

    severity: Severity = Severity.NORMAL
    sla_hours: Annotated[int, msgspec.Meta(ge=1, le=24 * 365)] = 24
    """Somebody has seen to it within so long of its opening."""
    team: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] = "operations"
    """Whose it is until a person takes it."""


class ExceptionRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules by kind. "unmapped_*" speaks of every kind that begins so; the longest name that fits speaks."""

    version: Annotated[str, msgspec.Meta(min_length=1)]
    default: Rule = Rule()
    kinds: dict[Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*\*?$", max_length=64)], Rule] = {}

    def of(self, kind: str) -> Rule:
        """The rule of a kind. An exact name wins over a beginning, a longer beginning over a shorter one."""
        return next((rule for name, rule in self.ordered() if _fits(name, kind)), self.default)

    def ordered(self) -> list[tuple[str, Rule]]:
        """Names as they are asked: exact ones first, then beginnings, the longest first."""
        return sorted(self.kinds.items(), key=lambda entry: (entry[0].endswith(ANY), -len(entry[0]), entry[0]))


ANY: Final = "*"


def _fits(name: str, kind: str) -> bool:
    return kind.startswith(name[:-1]) if name.endswith(ANY) else kind == name


def load_exception_rules(text: str) -> ExceptionRules:
    """Read rules. Raises `ExceptionRuleError` for the first thing that is wrong, with its place."""
    try:
        return msgspec.convert(tomllib.loads(text), ExceptionRules, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ExceptionRuleError(f"exception rules: {error}") from error
