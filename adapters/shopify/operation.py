"""What a GraphQL document is, and the fragment that most of them share."""

import msgspec


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A named document. `cost` is what it usually costs, `worst` what it must find in the bucket to be let in.

    The vendor lets a query in by its worst cost and charges the real one. Both in points; no document may cost
    more than 1,000.
    """

    name: str
    document: str
    cost: float
    worst: int
    write: bool = False


MONEY = """
fragment Money on MoneyBag { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
"""
