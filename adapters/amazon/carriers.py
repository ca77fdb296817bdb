"""Our carriers in Amazon's words: the values of `carrierCode`, to the letter. Any other is "Other" with a name."""

from typing import Final

OTHER: Final = "Other"

CODES: Final = {
    "amazon_logistics": "Amazon Shipping",
    "aramex": "Aramex",
    "australia_post": "Australia Post",
    "bpost": "BPOST",
    "brt": "BRT",
    "canada_post": "Canada Post",
    "chronopost": "Chronopost",
    "colissimo": "La Poste",
    "correos": "Correos",
    "deutsche_post": "Deutsche Post",
    "dhl": "DHL",
    "dhl_ecommerce": "DHL eCommerce",
    "dhl_express": "DHL Express",
    "dpd": "DPD",
    "evri": "EVRI",
    "fedex": "FedEx",
    "gls": "GLS",
    "hermes": "Hermes Logistik Gruppe",
    "inpost": "InPost",
    "japan_post": "JP_EXPRESS",
    "la_poste": "La Poste",
    "lasership": "Lasership",
    "mondial_relay": "Mondial Relay",
    "ontrac": "OnTrac",
    "parcelforce": "Parcelforce",
    "poste_italiane": "Poste Italiane",
    "postnl": "PostNL",
    "purolator": "Purolator",
    "royal_mail": "Royal Mail",
    "sagawa": "SAGAWA",
    "seur": "SEUR",
    "tnt": "TNT",
    "ups": "UPS",
    "usps": "USPS",
    "yamato": "YAMATO",
    "yodel": "Yodel",
}


def carrier(word: str | None) -> dict[str, str]:
    """`carrierCode`, with `carrierName` where Amazon has no code of its own."""
    code = CODES.get((word or "").casefold().replace(" ", "_").replace("-", "_"))
    return {"carrierCode": code} if code else {"carrierCode": OTHER, "carrierName": word or "unknown"}
