"""EasyPost as one value: offers, labels, refunds and tracking of many carriers."""

from adapters.easypost.client import buy_label, probe, quote, track, void_label
from adapters.easypost.settings import Settings, account, transport
from adapters.easypost.translate import event_facts, tracker_facts
from adapters.easypost.webhook import check
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Topic

_SCANS = Topic(lane=Lane.FACTS, form=Form.EVENT, translate=event_facts)
_NO_MATTER = Topic(lane=Lane.FACTS, form=Form.EVENT, ignore=True)

ADAPTER = Adapter(
    name="easypost",
    title="EasyPost",
    kind=Kind.CARRIER,
    settings=Settings,
    account=account,
    transport=transport,
    check=check,
    topics={
        "tracker.created": _SCANS,
        "tracker.updated": _SCANS,
        "tracker": Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=tracker_facts),
        # A webhook of EasyPost gets every kind of event; these are of no consequence to us.
        "batch.created": _NO_MATTER,
        "batch.updated": _NO_MATTER,
        "claim.submitted": _NO_MATTER,
        "claim.updated": _NO_MATTER,
        "claim.cancelled": _NO_MATTER,
        "claim.rejected": _NO_MATTER,
        "claim.approved": _NO_MATTER,
        "insurance.purchased": _NO_MATTER,
        "insurance.cancelled": _NO_MATTER,
        "payment.created": _NO_MATTER,
        "payment.completed": _NO_MATTER,
        "payment.failed": _NO_MATTER,
        "refund.successful": _NO_MATTER,
        "report.new": _NO_MATTER,
        "report.empty": _NO_MATTER,
        "report.available": _NO_MATTER,
        "report.failed": _NO_MATTER,
        "scan_form.created": _NO_MATTER,
        "scan_form.updated": _NO_MATTER,
        "shipment.invoice.created": _NO_MATTER,
        "shipment.invoice.updated": _NO_MATTER,
    },
    probe=probe,
    quote=quote,
    buy_label=buy_label,
    # A label from a customer to a node is bought like any other; the carrier asks for no other form.
    return_labels=True,
    # One shipment of EasyPost's each: it sells postage parcel by parcel.
    several_boxes=True,
    void_label=void_label,
    track=track,
)
