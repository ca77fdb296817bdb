"""Amazon's shapes, as far as we read them. Fields that are not named here are skipped."""

from datetime import datetime

import msgspec


class Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base: frozen, camel case on the wire."""


# --- orders -----------------------------------------------------------------------------------------------------------


class Identity(Shape, frozen=True):
    """What tells one version of an order from another."""

    order_id: str
    last_updated_time: str


class Pagination(Shape, frozen=True):
    """The way to the next page; none on the last."""

    next_token: str | None = None


class OrderPage(Shape, frozen=True):
    """A page of searchOrders, each order byte for byte."""

    orders: tuple[msgspec.Raw, ...]
    pagination: Pagination | None = None
    last_updated_before: datetime | None = None


class Wish(Shape, frozen=True):
    """Who asked to cancel a line."""

    requester: str | None = None


class Cancellation(Shape, frozen=True):
    """A line's wish to be cancelled, and what came of it."""

    cancellation_request: Wish | None = None
    cancellation_execution: dict[str, object] | None = None


class LineFulfillment(Shape, frozen=True):
    """How much of a line has gone."""

    quantity_fulfilled: int = 0


class Line(Shape, frozen=True):
    """A line, as far as a cancel or a confirmation needs it."""

    order_item_id: str
    quantity_ordered: int = 0
    fulfillment: LineFulfillment | None = None
    cancellation: Cancellation | None = None

    @property
    def fulfilled(self) -> int:
        """Units that have gone."""
        return self.fulfillment.quantity_fulfilled if self.fulfillment else 0

    @property
    def wished_away(self) -> bool:
        """Whether the buyer asked to cancel it and nobody answered."""
        cancellation = self.cancellation
        if cancellation is None or cancellation.cancellation_execution is not None:
            return False
        wish = cancellation.cancellation_request
        return wish is not None and wish.requester == "BUYER"


class PackageItem(Shape, frozen=True):
    """Units of a line in a package."""

    order_item_id: str
    quantity: int


class Package(Shape, frozen=True):
    """A package that Amazon was told of."""

    package_reference_id: str
    tracking_number: str | None = None
    package_items: tuple[PackageItem, ...] = ()


class OrderFulfillment(Shape, frozen=True):
    """The state of the order, and whose work it is."""

    fulfillment_status: str
    fulfilled_by: str | None = None


class SalesChannel(Shape, frozen=True):
    """Where it was placed."""

    marketplace_id: str | None = None


class Order(Shape, frozen=True):
    """An order, as far as our writes need it."""

    order_id: str
    fulfillment: OrderFulfillment
    sales_channel: SalesChannel
    order_items: tuple[Line, ...]
    packages: tuple[Package, ...] = ()


class OrderAnswer(Shape, frozen=True):
    """Answer of getOrder, the order byte for byte: each write reads its own part of it."""

    order: msgspec.Raw


class IdentityAnswer(Shape, frozen=True):
    """The same, for its identity only."""

    order: Identity


# --- listings ---------------------------------------------------------------------------------------------------------


class Issue(Shape, frozen=True):
    """What is wrong with a listing or a submission."""

    code: str = ""
    message: str = ""
    severity: str = "ERROR"
    attribute_names: tuple[str, ...] = ()


class Summary(Shape, frozen=True):
    """A listing in a marketplace."""

    product_type: str | None = None


class Attributes(msgspec.Struct, frozen=True):
    """Attributes as submitted; names are snake case on the wire."""

    fulfillment_availability: tuple[dict[str, object], ...] = ()


class Listing(Shape, frozen=True):
    """Answer of getListingsItem."""

    sku: str
    summaries: tuple[Summary, ...] = ()
    attributes: Attributes = Attributes()
    issues: tuple[Issue, ...] = ()


class Submission(Shape, frozen=True):
    """Answer of patchListingsItem: ACCEPTED is only queued, INVALID is a failure although the status is 200."""

    sku: str
    status: str
    submission_id: str
    issues: tuple[Issue, ...] = ()


# --- feeds ------------------------------------------------------------------------------------------------------------


class Place(Shape, frozen=True):
    """Where a document is put or found."""

    feed_document_id: str
    url: str
    compression_algorithm: str | None = None


class Created(Shape, frozen=True):
    """Answer of createFeed."""

    feed_id: str


class Feed(Shape, frozen=True):
    """A job of Amazon's."""

    feed_id: str
    feed_type: str
    processing_status: str
    created_time: datetime
    result_feed_document_id: str | None = None


class Feeds(Shape, frozen=True):
    """Answer of getFeeds."""

    feeds: tuple[Feed, ...] = ()


class ReportIssue(Shape, frozen=True):
    """What is wrong with a message of a listings feed."""

    message: str
    severity: str
    message_id: int | None = None
    sku: str | None = None
    code: str = ""


class ReportSummary(Shape, frozen=True):
    """How many messages came to what."""

    messages_processed: int = 0
    messages_accepted: int = 0
    messages_invalid: int = 0


class Report(Shape, frozen=True):
    """Result document of a listings feed."""

    summary: ReportSummary
    issues: tuple[ReportIssue, ...] = ()


# --- account ----------------------------------------------------------------------------------------------------------


class Marketplace(Shape, frozen=True):
    """A marketplace."""

    id: str
    name: str = ""


class Taking(Shape, frozen=True):
    """How the seller takes part."""

    is_participating: bool
    has_suspended_listings: bool = False


class Participation(Shape, frozen=True):
    """The seller in a marketplace."""

    marketplace: Marketplace
    participation: Taking


class Participations(Shape, frozen=True):
    """Answer of getMarketplaceParticipations."""

    payload: tuple[Participation, ...] = ()
