"""EasyPost in the demo: labels for the stores, and the journeys of every parcel."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.easypost.simulator import EasyPostSimulator
from adapters.easypost.simulator_books import Journey
from hub.sdk.testkit.player import CarrierPlayer, Part

JOURNEY: Final = Journey(pre_transit_ms=500, in_transit_ms=1500, delivered_ms=3000)


class EasyPostPlayer(CarrierPlayer):
    """One account."""

    service = "GroundAdvantage"

    def __init__(self, part: Part) -> None:
        super().__init__(part)
        self._account = EasyPostSimulator(
            api_key=f"EZTK{part.secret}",
            webhook_secret=f"signature-{part.secret}",
            journey=JOURNEY,
            seed=part.seed,
            faults=part.faults,
        )

    @property
    def simulator(self) -> EasyPostSimulator:
        """The account."""
        return self._account

    def config(self) -> dict[str, Any]:
        """A connection's config."""
        return {
            "account": self.part.name,
            "api_key": f"EZTK{self.part.secret}",
            "webhook_secret": self._account.webhook_secret,
            "base_url": self._account.base_url,
        }

    def listen(self, url: str) -> None:
        """Send webhooks there."""
        self._account.hub_url = url

    def labels(self) -> Mapping[str, int]:
        """Labels by our key."""
        return self._account.labels_bought

    def delivered(self) -> frozenset[str]:
        """Parcels that arrived."""
        trackers = self._account.books.trackers
        return frozenset(code for code, tracker in trackers.items() if tracker.status == "delivered")


PLAYER: Final = EasyPostPlayer
