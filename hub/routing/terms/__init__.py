"""The cost terms. A new one is one file and one entry here."""

from typing import Final

from hub.routing.terms.distance import DISTANCE
from hub.routing.terms.handling import HANDLING
from hub.routing.terms.lateness import LATENESS
from hub.routing.terms.parcel import PARCEL
from hub.routing.terms.rate_steps import RATE_STEPS
from hub.routing.terms.term import Term
from hub.routing.terms.weight import WEIGHT

TERMS: Final[tuple[Term, ...]] = (PARCEL, DISTANCE, WEIGHT, RATE_STEPS, HANDLING, LATENESS)
