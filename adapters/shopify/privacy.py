"""The privacy topics, which every public app must act on within 30 days. Pure."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from hub.domain.facts import UNSTATED, DisclosureAsked, ErasureAsked
from hub.sdk.translate import Malformed, Tables

T = TypeVar("T")


class _Person(msgspec.Struct):
    id: int


class _DataRequest(msgspec.Struct):
    id: int


class _Question(msgspec.Struct):
    """Body of customers/data_request."""

    data_request: _DataRequest
    orders_requested: tuple[int, ...] = ()


class _Redaction(msgspec.Struct):
    """Body of customers/redact. The orders are those that are old enough to be forgotten."""

    customer: _Person
    orders_to_redact: tuple[int, ...] = ()


class _Shop(msgspec.Struct):
    """Body of shop/redact, two days after the app was taken out."""

    shop_id: int


_question = msgspec.json.Decoder(_Question)
_redaction = msgspec.json.Decoder(_Redaction)
_shop = msgspec.json.Decoder(_Shop)


def data_request(body: bytes, tables: Tables) -> Sequence[DisclosureAsked]:
    """customers/data_request; raises `Malformed`."""
    asked = _read(_question, body, "data_request")
    orders = tuple(map(str, asked.orders_requested))
    return (DisclosureAsked(at=UNSTATED, request=f"data request {asked.data_request.id}", orders=orders),)


def redact_customer(body: bytes, tables: Tables) -> Sequence[ErasureAsked]:
    """customers/redact; raises `Malformed`."""
    asked = _read(_redaction, body, "customer")
    orders = tuple(map(str, asked.orders_to_redact))
    return (ErasureAsked(at=UNSTATED, request=f"redact customer {asked.customer.id}", orders=orders),)


def redact_shop(body: bytes, tables: Tables) -> Sequence[ErasureAsked]:
    """shop/redact; raises `Malformed`."""
    asked = _read(_shop, body, "shop_id")
    return (ErasureAsked(at=UNSTATED, request=f"redact shop {asked.shop_id}", everybody=True),)


def _read(decoder: msgspec.json.Decoder[T], body: bytes, field: str) -> T:
    try:
        return decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise Malformed(field, "$", str(error)) from error
