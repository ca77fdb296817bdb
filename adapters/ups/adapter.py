"""UPS as one value: offers, labels, voids, tracking and alerts of one account."""

from adapters.ups.calls import TRACK_TOPIC
from adapters.ups.client import buy_label, probe, quote, track, void_label
from adapters.ups.settings import Settings, account, transport
from adapters.ups.translate import alert_facts, track_facts
from adapters.ups.webhook import TOPIC, check
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Topic

ADAPTER = Adapter(
    name="ups",
    title="UPS",
    kind=Kind.CARRIER,
    settings=Settings,
    account=account,
    transport=transport,
    check=check,
    topics={
        TOPIC: Topic(lane=Lane.FACTS, form=Form.EVENT, translate=alert_facts),
        TRACK_TOPIC: Topic(lane=Lane.FACTS, form=Form.SNAPSHOT, translate=track_facts),
    },
    probe=probe,
    quote=quote,
    buy_label=buy_label,
    return_labels=True,
    several_boxes=True,
    void_label=void_label,
    track=track,
)
