"""Money is an integer of minor units of a named currency. One table, one place that rounds, no float."""

from decimal import Decimal
from typing import Final

import msgspec

_NO_PLACES = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_PLACES = "BHD IQD JOD KWD LYD OMR TND"
_TWO_PLACES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP
CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS
KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB
PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD
TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG
"""

MINOR_UNITS: Final[dict[str, int]] = {
    code: places for places, codes in ((0, _NO_PLACES), (2, _TWO_PLACES), (3, _THREE_PLACES)) for code in codes.split()
}
"""Decimal places per ISO 4217 code. Minor units come from here only, never from counting digits on the wire."""

SCALE: Final[dict[str, Decimal]] = {code: Decimal(10) ** places for code, places in MINOR_UNITS.items()}


LARGEST_EXPONENT: Final = 15
"""Digits before the point at most: beyond it a hostile exponent would cost minutes, and a bigint could not hold it."""


class MoneyError(ValueError):
    """An amount that cannot be booked: unknown currency, or finer than the currency's minor unit."""


class Money(msgspec.Struct, frozen=True, order=True):
    """An amount in minor units (cents, yen, fils) of `currency`."""

    amount: int
    currency: str


def minor(value: Decimal, currency: str) -> int:
    """Convert a wire amount to minor units, exactly.

    Raises `MoneyError` for a currency outside the table and for a value with more places than the currency has:
    rounding a vendor's amount would hide a difference that somebody must see.
    """
    scale = SCALE.get(currency)
    if scale is None:
        raise MoneyError(f"currency {currency!r} is not in the table of ISO 4217 codes")
    if not value.is_finite() or value.adjusted() > LARGEST_EXPONENT:
        raise MoneyError(f"{value} {currency} is no amount of money")
    scaled = value * scale
    whole = int(scaled)
    if whole != scaled or value.as_tuple().exponent < -LARGEST_EXPONENT:  # type: ignore[operator]
        raise MoneyError(f"{value} {currency} is finer than its minor unit ({MINOR_UNITS[currency]} places)")
    return whole


def major(amount: int, currency: str) -> Decimal:
    """Minor units back to a Decimal of the currency's own places, as vendors' wires want it ("10.50", "1050")."""
    places = MINOR_UNITS[currency]
    return Decimal(amount).scaleb(-places) if places else Decimal(amount)


class Amounts(msgspec.Struct, frozen=True, kw_only=True):
    """One view of an order's money, in minor units of `currency`.

    `total` is the stated sum, never the vendor's figure: with tax included
    `subtotal - discount + shipping + duties + fees + tip + rounding`, else the same plus `tax`.
    `subtotal` is before discounts; `discount` is positive; `rounding` may be negative.
    """

    currency: str
    subtotal: int = 0
    discount: int = 0
    shipping: int = 0
    tax: int = 0
    duties: int = 0
    fees: int = 0
    tip: int = 0
    rounding: int = 0
    tax_included: bool = False

    @property
    def total(self) -> int:
        """The stated sum of the parts."""
        parts = self.subtotal - self.discount + self.shipping + self.duties + self.fees + self.tip + self.rounding
        return parts if self.tax_included else parts + self.tax


class AmountSet(msgspec.Struct, frozen=True, kw_only=True):
    """The same money in the shop's books and as the customer saw it; most orders have one currency and one view."""

    shop: Amounts
    presentment: Amounts | None = None
    stated_total: int | None = None
    """The vendor's own total of the shop view. A difference to `shop.total` holds posting, never fulfilment."""

    @property
    def difference(self) -> int:
        """Vendor's total minus ours, in minor units of the shop currency; 0 when the vendor states none."""
        return 0 if self.stated_total is None else self.stated_total - self.shop.total
