"""A made-up channel for tests of one call to it."""

from hub.domain.network import Connection, Mode
from hub.flow.directory import Link
from hub.sdk.adapter import Adapter, Kind
from hub.sdk.capabilities import ChannelCancel, Send
from hub.sdk.redaction import Masked
from hub.sdk.wire import Transport


class Nothing(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Its config."""

    base_url: str | None = None


def acme(cancel_order: Send[ChannelCancel], mode: Mode = Mode.LIVE) -> Link:
    """Its connection "acme-uk", which cancels orders in this way, as far as `mode` lets it."""
    adapter = Adapter(
        name="acme",
        title="Acme",
        kind=Kind.CHANNEL,
        settings=Nothing,
        account=lambda _: "acme",
        transport=lambda _: Transport(base_url="http://127.0.0.1:9"),
        cancel_order=cancel_order,
    )
    connection = Connection(
        id="c1",
        merchant="default",
        account=1,
        account_name="acme",
        adapter="acme",
        name="acme-uk",
        modes={"cancel_order": mode},
    )
    return Link(connection=connection, adapter=adapter, read=lambda topic, body: ())
