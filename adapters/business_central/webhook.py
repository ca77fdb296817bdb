"""Pure: is a delivery of notifications Business Central's, and what is its key."""

import hashlib
import hmac
from typing import Final

import msgspec

from adapters.business_central.schemas import Notifications
from adapters.business_central.settings import Settings, webhook_secrets
from hub.sdk.webhook import Delivery, Handshake, Refuse, Reply, Store, Verdict

TOPIC: Final = "notifications"
LONGEST_TOKEN: Final = 500


def check(delivery: Delivery, settings: Settings) -> Verdict:
    """Business Central signs nothing: each notification shows the `clientState` that its subscription was made with.

    Making and renewing a subscription asks for `validationToken` to be said back, as text. A delivery holds several
    notifications without an id and is repeated byte for byte for 36 hours, so a digest of the body is its key.
    """
    token = delivery.query.get("validationToken")
    if token is not None:
        return _echo(token)
    try:
        told = msgspec.json.decode(delivery.body.removeprefix(b"\xef\xbb\xbf"), type=Notifications).value
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Refuse(status=401, reason="the body holds no notifications, so nobody can have shown the secret")
    secrets = webhook_secrets(settings)
    if not told or not all(_shown(one.client_state, secrets) for one in told):
        return Refuse(reason="clientState does not match")
    return Store(key=hashlib.sha256(delivery.body).hexdigest()[:40], topic=TOPIC, object="items")


def _echo(token: str) -> Verdict:
    if not 0 < len(token) <= LONGEST_TOKEN or not token.isprintable():
        return Refuse(status=400, reason="validationToken is no token")
    return Handshake(reply=Reply(body=token.encode()))


def _shown(state: str, secrets: tuple[str, ...]) -> bool:
    good = False
    for secret in secrets:
        good |= hmac.compare_digest(state.encode(), secret.encode())
    return good
