"""What customers read, in words: texts as data in `rules/notices`, read strictly, filled with an event. Pure."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from hub.domain.events import PromiseFact, ShipmentFact
from hub.domain.shipping import TrackingStatus
from hub.domain.states import ReturnState
from hub.flow.standing import Stage
from hub.flow.tell import BY_NAME

PLACES: Final = frozenset({"number", "promised", "cause", "link", "parcels"})
_PLACE: Final = re.compile(r"\{([^{}]*)\}")
CAUSES: Final = ("late", "out_of_stock", "back_in_stock", "refused", "short", "changed")


class NoticesError(ValueError):
    """Texts that cannot be used. Says where."""


class Notice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message."""

    subject: str
    text: str


class PageWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of the customer's page; {number}, {date} and {region} stand for what they say."""

    title: str
    placed: str
    expected: str
    expected_unknown: str
    to: str
    track: str
    returns: str
    label: str
    change: str
    cancel: str
    cancel_sure: str
    address: str
    address_save: str
    name: str
    street: str
    more: str
    postal_code: str
    city: str
    region: str
    country: str
    give_back: str
    give_back_send: str
    reason: str
    code_ask: str
    code_is: str
    code_note: str
    done_cancel: str
    done_address: str
    done_return: str
    too_late: str
    check_input: str
    expired_form: str
    missing: str
    missing_text: str
    failed: str
    failed_text: str


class Notices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every message of one language."""

    language: str
    no_date: str
    """What stands for a date that nobody knows."""
    causes: dict[str, str]
    notices: dict[str, Notice]
    """By event type."""
    page: PageWords
    """Words of the customer's page."""
    stages: dict[str, str]
    parcels: dict[str, str]
    return_states: dict[str, str]
    reasons: dict[str, str]
    """Why something is given back, in the order in which they are offered."""


class Message(NamedTuple):
    """A message with its places filled."""

    subject: str
    text: str


def load_notices(text: str) -> Notices:
    """Read texts. Raises `NoticesError` for the first thing that is wrong, naming its place."""
    try:
        read = msgspec.convert(tomllib.loads(text), Notices, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise NoticesError(f"notices: {error}") from error
    needed: tuple[tuple[str, Mapping[str, str], Iterable[str]], ...] = (
        ("causes", read.causes, CAUSES),
        ("stages", read.stages, Stage),
        ("parcels", read.parcels, TrackingStatus),
        ("return_states", read.return_states, ReturnState),
    )
    for name, words, keys in needed:
        for key in keys:
            if key not in words:
                raise NoticesError(f"notices: {name}.{key} is missing")
    for type, notice in read.notices.items():
        if type not in BY_NAME:
            raise NoticesError(f"notices.{type}: is no event type")
        for field in ("subject", "text"):
            for place in _PLACE.findall(getattr(notice, field)):
                if place not in PLACES:
                    raise NoticesError(f"notices.{type}.{field}: {{{place}}} is none of {', '.join(sorted(PLACES))}")
        if "\n" in notice.subject:
            raise NoticesError(f"notices.{type}.subject: must be one line")
    return read


def spoken(notices: Mapping[str, Notices], locale: str | None, otherwise: str) -> Notices:
    """The texts of a customer's language (BCP 47: de-AT, pt_BR), else the merchant's choice, else English."""
    tags = (locale or "").replace("_", "-").lower()
    for language in (tags, tags.partition("-")[0], otherwise, "en"):
        if language in notices:
            return notices[language]
    raise NoticesError("notices: there are no English texts")


def message(notices: Notices, type: str, data: bytes, link: str) -> Message | None:
    """The message for an event; None where its type has no text. `data` is the event's own."""
    notice = notices.notices.get(type)
    if notice is None:
        return None
    fact = msgspec.json.decode(data, type=BY_NAME[type].data)
    values = {"number": fact.number, "link": link, "promised": notices.no_date, "cause": "", "parcels": ""}
    if isinstance(fact, PromiseFact):
        values["cause"] = notices.causes.get(fact.cause, "")
        if fact.promised is not None:
            values["promised"] = fact.promised.date().isoformat()
    if isinstance(fact, ShipmentFact):
        values["parcels"] = ", ".join(
            f"{one.carrier or ''} {one.tracking}".strip() for one in fact.parcels if one.tracking
        )
    return Message(_fill(notice.subject, values), _fill(notice.text, values))


def _fill(text: str, values: Mapping[str, str]) -> str:
    """In one pass: what a value holds is text, never a place."""
    return _PLACE.sub(lambda found: values[found[1]], text)
