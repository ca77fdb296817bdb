"""Signatures, addresses and documents of what subscribers are told."""

import asyncio
import base64
from datetime import UTC, datetime

import msgspec
import pytest

from hub.domain.events import TellEvent
from hub.flow.ports import Claimed
from hub.flow.tell import TYPES
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Refused, RetryLater
from hub.sdk.public_address import any_address, is_public, public_address
from hub.sdk.wire import Response
from hub.web.asyncapi import document
from hub.web.events_page import page
from hub.worker.notify_webhook import cloud_event, read_answer, signed_headers

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_the_signature_is_the_known_one() -> None:
    """The example of the Standard Webhooks specification."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', at, (secret, None))
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    other = "whsec_" + base64.b64encode(b"another secret of 24 byt").decode()
    both = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', at, (secret, other))
    assert len(both["webhook-signature"].split(" ")) == 2
    assert both["webhook-signature"].startswith(headers["webhook-signature"])


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, Done), (204, Done), (301, RetryLater), (400, RetryLater), (410, Refused), (503, RetryLater)],
)
def test_an_answer_is_read_by_its_status(status: int, kind: type) -> None:
    assert type(read_answer(Response(status=status, headers={}, body=b""), NOW)) is kind


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_addresses_of_private_networks_are_known_in_every_disguise(address: str, public: bool) -> None:
    assert is_public(address) is public


async def test_a_name_that_leads_home_is_refused_when_it_is_used() -> None:
    with pytest.raises(Interrupted) as refused:
        await public_address("localhost", 80)
    assert isinstance(refused.value.outcome, NeedsPerson)
    assert await any_address("127.0.0.1", 80) == "127.0.0.1"
    with pytest.raises(Interrupted) as unknown:
        async with asyncio.timeout(10):
            await public_address("no-such-host.invalid", 443)
    assert isinstance(unknown.value.outcome, RetryLater)


def test_a_cloud_event_has_what_the_document_says() -> None:
    """The document is made of the table; what is sent carries exactly the envelope that it draws."""
    drawn = document()
    assert drawn["asyncapi"] == "3.0.0"
    assert list(drawn["components"]["messages"]) == [type.name for type in TYPES]
    effect = TellEvent(order="O", event=TYPES[0].name, at=NOW, data=msgspec.Raw(b'{"order":"O"}'))
    text = msgspec.json.encode(effect).decode()
    claimed = Claimed(1, 1, 0, 0, False, "sub", "default", "O", "O-KEY", "O", text)
    sent = msgspec.json.decode(cloud_event(claimed, msgspec.json.decode(text, type=TellEvent)))
    payload = drawn["components"]["messages"][TYPES[0].name]["payload"]
    assert set(sent) == set(payload["required"]) == set(payload["properties"])
    assert sent["type"] == payload["properties"]["type"]["const"]
    assert (sent["id"], sent["time"], sent["data"]) == ("O-KEY", "2026-05-01T12:00:00Z", {"order": "O"})


def test_every_reference_of_the_document_is_there() -> None:
    drawn = document()
    pending: list[object] = [drawn]
    seen = 0
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if "$ref" in node:
                at: object = drawn
                for step in str(node["$ref"]).removeprefix("#/").split("/"):
                    assert isinstance(at, dict)
                    at = at[step]
                seen += 1
            pending += node.values()
        elif isinstance(node, list):
            pending += node
    assert seen > 2 * len(TYPES)


def test_the_page_names_every_type_and_no_other_host() -> None:
    html = page()
    assert all(type.name in html for type in TYPES)
    assert "<script" not in html
    assert "//" not in html.replace("<!doctype", "").split("<pre>")[0].replace("/docs", "")
