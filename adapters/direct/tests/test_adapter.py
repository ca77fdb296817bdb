"""The direct channel declares that it can do nothing but be an account."""

from adapters.direct.adapter import ADAPTER, Settings


def test_it_has_an_account_and_no_capability() -> None:
    assert ADAPTER.account(Settings(channel="b2b-desk")) == "b2b-desk"
    assert ADAPTER.capabilities == ()
