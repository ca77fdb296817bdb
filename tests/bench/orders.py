"""Deliveries of a Shopify shop, signed and ready to be sent: 1 to 4 lines, 1 % of the SKUs with 20 % of the lines."""

import base64
import hashlib
import hmac
import random
from collections.abc import Iterator
from typing import Final

import msgspec

from tests.unit.mapping.shopify_orders import Json, shopify_order

SECRET: Final = "hush"
SHOP: Final = "acme.myshopify.com"
SKUS: Final = 5000
HOT_SHARE: Final = 0.2

# (city, province, country, postal code, latitude, longitude): orders come from where people live.
PLACES: Final = (
    ("New York", "NY", "10001", 40.75, -73.99),
    ("Boston", "MA", "02108", 42.36, -71.06),
    ("Atlanta", "GA", "30303", 33.75, -84.39),
    ("Miami", "FL", "33101", 25.77, -80.19),
    ("Chicago", "IL", "60601", 41.88, -87.62),
    ("Dallas", "TX", "75201", 32.78, -96.80),
    ("Denver", "CO", "80202", 39.75, -104.99),
    ("Phoenix", "AZ", "85001", 33.45, -112.07),
    ("Los Angeles", "CA", "90012", 34.05, -118.24),
    ("Seattle", "WA", "98101", 47.61, -122.33),
)


def sku(number: int) -> str:
    """SKU of an item of the benchmark's world."""
    return f"SKU-{number:05d}"


def hot(skus: int) -> int:
    """How many of so many SKUs are hot: the first ones."""
    return max(1, skus // 100)


def deliveries(count: int, path: str, host: str, *, seed: int = 1, first: int = 0, skus: int = SKUS) -> Iterator[bytes]:
    """Whole HTTP requests, one per order; `first` keeps order numbers apart between phases."""
    chance = random.Random(seed)
    drafts = [shopify_order(number, lines=1 + number % 4, currency="USD") for number in range(40)]
    for number in range(first, first + count):
        draft = drafts[chance.randrange(len(drafts))]
        _make_its_own(draft, number, chance, skus)
        yield _request(msgspec.json.encode(draft), number, path, host)


def _make_its_own(draft: Json, number: int, chance: random.Random, skus: int) -> None:
    """Give a draft its identity, goods and address; a draft is encoded before it is used again."""
    city, province, postal, latitude, longitude = PLACES[chance.randrange(len(PLACES))]
    draft["id"] = 5_700_000_000_000 + number
    draft["name"], draft["order_number"] = f"#{number + 1001}", number + 1001
    for address in (draft["shipping_address"], draft["billing_address"]):
        address.update(city=city, province=province, province_code=province, zip=postal, country="United States")
        address.update(country_code="US", latitude=latitude, longitude=longitude)
    first_cold = hot(skus)
    for place, line in enumerate(draft["line_items"]):
        is_hot = chance.random() < HOT_SHARE
        item = chance.randrange(first_cold) if is_hot else chance.randrange(first_cold, skus)
        line.update(id=13_000_000_000_000 + number * 8 + place, sku=sku(item), variant_id=44_000_000_000_000 + item)


def _request(body: bytes, number: int, path: str, host: str) -> bytes:
    signature = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"User-Agent: Shopify-Captain-Hook\r\nX-Shopify-Topic: orders/create\r\nX-Shopify-Hmac-Sha256: {signature}\r\n"
        f"X-Shopify-Shop-Domain: {SHOP}\r\nX-Shopify-API-Version: 2026-04\r\nX-Shopify-Webhook-Id: w-{number}\r\n"
        f"X-Shopify-Event-Id: e-{number}\r\nX-Shopify-Triggered-At: 2026-03-02T10:15:31Z\r\n\r\n"
    )
    return head.encode() + body
