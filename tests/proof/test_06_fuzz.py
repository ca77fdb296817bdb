"""Test 6: nothing that is sent to the webhook endpoint breaks it, and what it acknowledges is never lost."""

import base64
import random

from tests.proof import fuzz
from tests.proof.crowd import http, send_all
from tests.proof.sale import LAMP, Sale

MUTANTS = 1000


async def test_a_thousand_mutated_bodies_get_2xx_or_4xx_and_none_that_was_acknowledged_is_lost(sale: Sale) -> None:
    chance = random.Random(6)
    found = fuzz.bodies(sale)
    requests = [fuzz.request(sale, body, chance, number) for number, body in enumerate(fuzz.mutants(found, MUTANTS, 6))]
    sale.shop.hub_url = None
    acknowledged: list[bytes] = []
    answers = await send_all(sale.url, requests, 16, acknowledged)
    assert sum(answers.values()) == MUTANTS
    assert not [status for status in answers if not (200 <= status < 300 or 400 <= status < 500)], answers
    assert answers[200] > MUTANTS / 2, "signed correctly: they get inside"
    await sale.at_rest()
    await fuzz.check(sale, acknowledged)

    (good,) = sale.deliveries(sale.quietly(LAMP, 1), "orders/create")
    assert await send_all(sale.url, [good], 1) == {200: 1}
    await sale.at_rest()
    external = max(sale.shop.orders)
    assert await sale.house.value("SELECT state FROM customer_order WHERE external_id = $1", str(external)) == "open"


async def test_a_signature_with_any_bit_changed_is_refused(sale: Sale) -> None:
    body = sale.shop.body(sale.shop.orders[sale.quietly(LAMP, 1)[0]], "orders/create")
    sent = sale.shop.signed("orders/create", body, "e-1")
    signature = base64.b64decode(sent.headers["X-Shopify-Hmac-Sha256"])
    requests = []
    for bit in range(len(signature) * 8):
        flipped = bytearray(signature)
        flipped[bit // 8] ^= 1 << bit % 8
        headers = sent.headers | {"X-Shopify-Hmac-Sha256": base64.b64encode(flipped).decode()}
        requests.append(http("POST", sale.webhooks, body, headers))
    for bit in range(0, len(body) * 8, 997):
        changed = bytearray(body)
        changed[bit // 8] ^= 1 << bit % 8
        requests.append(http("POST", sale.webhooks, bytes(changed), sent.headers))
    assert await send_all(sale.url, requests, 8) == {401: len(requests)}
    assert await sale.house.value("SELECT count(*) FROM message") == 0
