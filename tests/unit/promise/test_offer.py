"""Promise rules: bands, time zones, and texts that offer nothing."""

import pytest

from hub.promise.offer import DAY_ENDS_LAST, Band, Offer, OfferError, Service, load_offer
from hub.registry import rule_text

BANDS = Service(
    name="standard",
    bands=(
        Band(domestic=True, max_km=300, days=1),
        Band(domestic=True, days=3),
        Band(countries=("FR", "BE"), max_km=900, days=4),
    ),
)


@pytest.mark.parametrize(
    ("origin", "country", "km", "days"),
    [
        ("DE", "DE", 300, 1),
        ("DE", "DE", 301, 3),
        ("DE", "DE", None, 3),  # an unknown distance is never near
        ("DE", "FR", 800, 4),
        ("DE", "FR", 901, None),
        ("DE", "FR", None, None),
        ("DE", "IT", 100, None),
        (None, "DE", 100, None),  # an unknown country is not the same country
        ("DE", None, 100, None),
        (None, None, 100, None),
    ],
)
def test_the_first_band_that_fits_counts(origin, country, km, days):
    assert BANDS.transit_days(origin=origin, country=country, km=km) == days


def test_a_place_that_nobody_knows_the_zone_of_is_where_the_day_ends_last():
    offer = Offer(version="v", services=(BANDS,), timezones={"DE": "Europe/Berlin"})
    assert offer.timezone("DE") == "Europe/Berlin"
    assert offer.timezone("XX") == offer.timezone(None) == DAY_ENDS_LAST


def test_the_shipped_rules_are_sound():
    offer = load_offer(rule_text("promise", "default"))
    assert [service.name for service in offer.services] == ["standard", "express"]
    for service in offer.services:
        assert service.transit_days(origin=None, country="ZZ", km=None) is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version = ", "not TOML"),
        ('version = "1"', "missing required field `service`"),
        ('version = "1"\nservice = []', "no service"),
        ('version = "1"\n[[service]]\nname = "a"\nband = []', "'a' has no band"),
        ('version = "1"\n[[service]]\nname = "a"\nband = [{days = 1, colour = "red"}]', "unknown field `colour`"),
        ('version = "1"\n[[service]]\nname = "a"\nband = [{days = -1}]', ">= 0"),
        (
            'version = "1"\n[[service]]\nname = "a"\nband = [{days = 1}]\n[[service]]\nname = "a"\nband = [{days = 1}]',
            "stands twice",
        ),
        ('version = "1"\n[[service]]\nname = "a"\nband = [{days = 1}]\ncarrier = {weekdays = [7]}', "weekdays"),
        ('version = "1"\n[[service]]\nname = "a"\nband = [{days = 1}]\ncarrier = {weekdays = []}', "weekdays"),
        ('version = "1"\n[[service]]\nname = "a"\nband = [{days = 1}]\n[timezones]\nDE = "Mars/X"', "timezones.DE"),
    ],
)
def test_a_text_that_offers_nothing_says_what_to_mend(text, words):
    with pytest.raises(OfferError, match=words):
        load_offer(text)


def test_a_channels_own_word_for_a_service_is_that_service():
    text = (
        'version = "v"\nunnamed = "slow"\n[[service]]\nname = "slow"\nalso_called = ["Economy"]\nband = [{ days = 9 }]'
    )
    offer = load_offer(text)
    assert [offer.service(word) for word in ("slow", "Economy", None)] == [offer.services[0]] * 3
    assert offer.service("economy") is None
    assert load_offer(text.replace('unnamed = "slow"\n', "")).service(None) is None


@pytest.mark.parametrize(
    ("changed", "words"), [('unnamed = "fast"', "no service 'fast'"), ('also_called = ["x", "x"]', "two services")]
)
def test_words_that_lead_nowhere_or_to_two_services_are_refused(changed, words):
    top, inside = (changed, "") if changed.startswith("unnamed") else ("", changed)
    with pytest.raises(OfferError, match=words):
        load_offer(f'version = "v"\n{top}\n[[service]]\nname = "slow"\n{inside}\nband = [{{ days = 9 }}]')
