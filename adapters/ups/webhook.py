"""Pure: is an alert UPS's, and what is its key."""

import hashlib
import hmac

import msgspec

from adapters.ups.schemas import alert_head_decoder
from adapters.ups.settings import Settings, webhook_secrets
from hub.sdk.webhook import Delivery, Refuse, Store, Verdict

TOPIC = "tracking_event"
CREDENTIAL = "credential"
OBJECT = "parcel:"


def check(delivery: Delivery, settings: Settings) -> Verdict:
    """UPS signs nothing: it shows the credential that was left with it, in `credential` or as a bearer token.

    Events have no id. An alert is repeated byte for byte, so the parcel and a digest of the body are the key.
    """
    if not _shown(delivery, webhook_secrets(settings)):
        return Refuse(reason="the credential does not match")
    try:
        tracking = alert_head_decoder.decode(delivery.body).tracking_number
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Refuse(status=400, reason="the body is not a tracking event with a trackingNumber")
    digest = hashlib.sha256(delivery.body).hexdigest()[:20]
    return Store(key=f"{tracking}:{digest}", topic=TOPIC, object=f"{OBJECT}{tracking}")


def _shown(delivery: Delivery, secrets: tuple[str, ...]) -> bool:
    scheme, _, token = delivery.headers.get("authorization", "").partition(" ")
    shown = (delivery.headers.get(CREDENTIAL, ""), token if scheme.casefold() == "bearer" else "")
    good = False
    for secret in secrets:
        for given in shown:
            good |= hmac.compare_digest(given.encode(), secret.encode())
    return good
