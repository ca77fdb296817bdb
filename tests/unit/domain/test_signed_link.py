"""A customer's link: good for one order, until its end, as it was made."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.signed_link import BadLink, sign, verify

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = bytes(range(32))
ORDER = "01KF0X5B3GCDEFGHJKMN"


def test_a_link_names_its_order_until_it_ends() -> None:
    token = sign(ORDER, NOW + timedelta(days=1), KEY)
    assert verify(token, NOW, KEY) == ORDER
    assert verify(token, NOW + timedelta(hours=23), KEY) == ORDER
    with pytest.raises(BadLink, match="ended"):
        verify(token, NOW + timedelta(days=1), KEY)


def test_another_key_makes_another_link() -> None:
    token = sign(ORDER, NOW + timedelta(days=1), KEY)
    with pytest.raises(BadLink, match="not valid"):
        verify(token, NOW, bytes(32))


def test_every_changed_character_closes_it() -> None:
    token = sign(ORDER, NOW + timedelta(days=1), KEY)
    for place in range(len(token)):
        other = "B" if token[place] == "A" else "A"
        with pytest.raises(BadLink):
            verify(token[:place] + other + token[place + 1 :], NOW, KEY)


@pytest.mark.parametrize("token", ["", ".", "a.b", "🙈.x", "abc", "..", f"{ORDER}.sig", "A" * 5000])
def test_rubbish_is_a_bad_link(token: str) -> None:
    with pytest.raises(BadLink):
        verify(token, NOW, KEY)


def test_it_is_safe_in_a_url_and_holds_no_secret() -> None:
    token = sign(ORDER, NOW + timedelta(days=1), KEY)
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
