import logging
from decimal import Decimal
from typing import Annotated

import msgspec
import pytest
import structlog

from hub.domain.contact import Contact
from hub.sdk.adapter import Secret
from hub.sdk.redaction import MASK, Masked, hidden_fields, redact, redact_event, redact_text

SecretText = Annotated[str, msgspec.Meta(extra_json_schema={Secret: True})]


class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    shop: str
    client_secret: SecretText
    previous: SecretText | None = None
    keys: tuple[SecretText, ...] = ()
    base_url: str | None = None


SETTINGS = Settings(shop="acme", client_secret="hush-hush", previous="older-hush", keys=("third-hush",))


def test_hidden_are_marked_fields_also_when_optional_or_in_a_list() -> None:
    assert hidden_fields(Settings) == {"client_secret", "previous", "keys"}


def test_printed_settings_show_what_is_set_but_no_secret() -> None:
    assert repr(SETTINGS) == f"Settings(shop='acme', client_secret={MASK}, previous={MASK}, keys={MASK}, base_url=None)"
    assert "hush" not in str(SETTINGS.__rich_repr__())


@pytest.mark.parametrize(
    "name",
    ["authorization", "Authorization", "X-Shopify-Access-Token", "client_secret", "password", "X-Shopify-Hmac-Sha256",
     "Acme-Signature", "api_key", "x-api-key", "set-cookie", "email", "phone", "ship_to", "customer_name"],
)  # fmt: skip
def test_values_under_telling_keys_are_masked(name: str) -> None:
    assert redact({name: "value", "deep": [{name: {"inner": "value"}}]}) == {name: MASK, "deep": [{name: MASK}]}


@pytest.mark.parametrize("name", ["order", "status", "sku", "tokens_left", "topic", "content_type", "adapter"])
def test_ordinary_keys_pass(name: str) -> None:
    assert redact({name: 7}) == {name: 7}
    assert redact({"order": "1001", "sku": "MUG", "adapter": "acme"}) == {
        "order": "1001",
        "sku": "MUG",
        "adapter": "acme",
    }


@pytest.mark.parametrize("name", ["body", "payload", "raw_body", "response_body"])
def test_bodies_are_withheld(name: str) -> None:
    assert redact({name: '{"order": 1}'}) == {name: f"<{name} withheld>"}


def test_bytes_never_pass() -> None:
    assert redact({"said": b"Zo\xc3\xab"}) == {"said": "<4 bytes>"}


def test_structs_and_people() -> None:
    told = redact({"settings": SETTINGS, "who": Contact(name="Zoë", country="US"), "cost": Decimal("1.50")})
    assert told == {
        "settings": {"shop": "acme", "client_secret": MASK, "previous": MASK, "keys": MASK, "base_url": None},
        "who": MASK,
        "cost": Decimal("1.50"),
    }


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("mail zoe.q@example.com now", f"mail {MASK} now"),
        ("GET /orders?page=2&access_token=abc123&x=1", f"GET /orders?page=2&access_token={MASK}&x=1"),
        ('{"client_secret": "abc 123", "sku": "MUG"}', f'{{"client_secret": {MASK}, "sku": "MUG"}}'),
        ("Login(password='a b c', site='x')", f"Login(password={MASK}, site='x')"),
        ("authorization: Bearer abc.def-123", f"authorization: {MASK}"),
        ("sent Bearer abcdef1234567", f"sent Bearer {MASK}"),
        ("Basic dXNlcjpwYXNz of old", f"Basic {MASK} of old"),
        ("order 1001 is parked: basic data missing", "order 1001 is parked: basic data missing"),
    ],
)
def test_text(text: str, clean: str) -> None:
    assert redact_text(text) == clean


def test_processor_cleans_events_and_tracebacks() -> None:
    out: list[str] = []
    logger = structlog.wrap_logger(
        structlog.PrintLogger(),
        processors=[
            structlog.processors.format_exc_info,
            redact_event,
            lambda _, __, event: out.append(str(event)) or "",
        ],
    )
    try:
        raise ValueError("refused token=abc123 for zoe@example.com")
    except ValueError:
        logger.exception("it.broke", authorization="Bearer zzz", order="1001")
    assert "1001" in out[0]
    assert "ValueError" in out[0]
    for secret in ("abc123", "zoe@example.com", "zzz"):
        assert secret not in out[0]


def test_httpx_prints_no_urls() -> None:
    import hub.sdk.http  # noqa: F401

    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
    assert not logging.getLogger("httpcore").isEnabledFor(logging.DEBUG)
