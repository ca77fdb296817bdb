"""What a connection to a partner that speaks X12 over SFTP is configured with: log-in and partner's profile."""

from collections.abc import Mapping
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from adapters.x12.interchange import Party
from hub.sdk.file_server import FileServer
from hub.sdk.tabular import Layout
from hub.sdk.wire import Transport

Mark = Annotated[str, msgspec.Meta(min_length=1, max_length=1)]

NOWHERE: Final = "sftp://127.0.0.1:9"


class Carriage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How W66 asks for a service: the partner's words."""

    scac: str = ""
    """W6610: the carrier."""
    routing: str = ""
    """W6605: the service in words."""
    method: str = "M"
    """W6602: M is motor, A air, H customer pick-up."""
    payment: str = "PP"
    """W6601: PP is prepaid by the seller, CC collect."""


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a partner wants its documents, as its guide says."""

    us: Party
    """Who we are: ISA05 and ISA06 of what we send, ISA07 and ISA08 of what comes."""
    partner: Party
    """Who the partner is."""
    our_group: str | None = None
    """GS02 of what we send; else the id of the ISA."""
    partner_group: str | None = None
    version: str = "004010"
    """GS08; its first five digits are ISA12's."""
    test: bool = False
    """ISA15: T, not P."""
    element: Mark = "*"
    segment: Mark = "~"
    component: Mark = ">"
    line_breaks: bool = True
    """Whether a line break follows each segment."""
    encoding: str = "ascii"
    """What cannot be written in it is written without its accents, else as "?"."""

    depositor: Party | None = None
    """N1*DE: whose goods they are."""
    depositor_name: str = ""
    warehouse_code: str = "WH"
    """N101 of the warehouse: WH or SF."""
    warehouse_qualifier: str = "91"
    """N103 of the warehouse: 91 is a number given by the seller, 9 a DUNS number with a suffix."""
    new: str = "N"
    """W0501 of an order."""
    cancel: str = "F"
    """W0501 of its cancel."""
    cancel_note: str = "CANCELLED - DO NOT SHIP"
    sku_qualifier: str = "VN"
    """Of our SKU, in W01 and W04."""
    unit: str = "EA"
    """Of our quantities."""
    carriage: Carriage = Carriage()
    """Where no service is asked for. One that is not among `services` goes along in its own words as `routing`."""
    services: Mapping[str, Carriage] = {}
    """By the hub's name of the service."""

    acknowledges: bool = True
    """Whether the partner answers with 997. It is then that an order counts as accepted, else once it is written."""
    wants_acknowledgements: bool = True
    """Whether we answer with 997."""
    acknowledged_cancel_is_done: bool = False
    """Whether an accepted 997 for a cancel means that nothing leaves. By the standard it means that it was read."""
    bare: bool = False
    """Whether transactions without ISA and GS are taken: then it is the log-in alone that says who sent them."""
    location: str | None = None
    """The warehouse, where a document names none."""
    time_zone: str = "UTC"
    """Of the partner's dates and times."""

    def __post_init__(self) -> None:
        if len({self.element, self.segment, self.component}) < 3:
            raise ValueError("element, segment and component must be three different characters")
        if not (self.version[:6].isdigit() and len(self.version) >= 6):
            raise ValueError("version is six digits and maybe more: 004010, 005010, 004010UCS")
        try:
            "".encode(self.encoding)
            ZoneInfo(self.time_zone)
        except (LookupError, ZoneInfoNotFoundError, ValueError) as fault:
            raise ValueError(f"encoding {self.encoding!r} or time zone {self.time_zone!r} is not known") from fault


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files of rows instead of X12: what they say, and how they are written."""

    pattern: str
    """Names of such files, as a shell would match them."""
    says: str
    """shipped, levels or changes; see README.md for the columns."""
    layout: Layout = Layout()

    def __post_init__(self) -> None:
        if self.says not in ("shipped", "levels", "changes"):
            raise ValueError("says is shipped, levels or changes")


class Settings(FileServer, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file server, and who speaks how."""

    partner: str
    """The partner's name: what it sends is told apart by it, and control numbers are counted for it."""
    incoming: str = "from_partner"
    outgoing: str = "to_partner"
    """Where we put files for the partner."""
    claimed: str = "from_partner/taking"
    archive: str = "from_partner/archive"
    error: str = "from_partner/error"

    profile: Profile
    tables: tuple[Table, ...] = ()
    """Which files are no X12 but rows; the first whose pattern fits holds."""


def account(settings: Settings) -> str:
    """The partner's name."""
    return settings.partner


def transport(settings: Settings) -> Transport:
    """The partner's file server."""
    return Transport(base_url=settings.base_url or NOWHERE, auth=settings.login())
