"""Signing in at a shop: the code grant by redirect, and the exchange of an embedded app's session. Pure."""

import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

from adapters.shopify.scopes import COMPANY_SCOPES, FULFILLMENT_SCOPES, HISTORY_SCOPE, SCOPES
from adapters.shopify.settings import Settings, account, host, token_url
from hub.sdk.sign_in import NotGenuine, SignIn
from hub.sdk.webhook import hmac_sha256, signed_hex
from hub.sdk.wire import Request

ASKED: Final = (*SCOPES, *FULFILLMENT_SCOPES, HISTORY_SCOPE)
CLOCKS_DIFFER_SECONDS: Final = 10
EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN: Final = "urn:ietf:params:oauth:token-type:id_token"
OFFLINE: Final = "urn:shopify:params:oauth:token-type:offline-access-token"


class _Session(msgspec.Struct, frozen=True):
    """Claims of a session token."""

    dest: str
    aud: str
    exp: float
    nbf: float = 0


_session = msgspec.json.Decoder(_Session)


def authorise(settings: Settings, state: str, redirect_uri: str) -> str:
    """The page on which the merchant grants our scopes to the app, for as long as it is installed.

    Raises `NotGenuine` where the connection gets its tokens another way, which would stay in use.
    """
    if settings.access_token is not None or settings.grant != "code":
        raise NotGenuine("the connection has a token without a sign-in: set access_token to null and grant to code")
    scope = ",".join((*ASKED, *COMPANY_SCOPES) if settings.companies else ASKED)
    query = {"client_id": settings.client_id, "scope": scope, "redirect_uri": redirect_uri, "state": state}
    return f"{host(settings)}/admin/oauth/authorize?{urlencode(query)}"


def granted(settings: Settings, query: Mapping[str, str], redirect_uri: str) -> Request:
    """Change the code, which is good once. The callback's own `hmac` is hexadecimal, over the sorted query without it.

    Raises `NotGenuine` for a query that Shopify did not sign under the connection's secret, or of another shop.
    """
    rest = sorted((name, value) for name, value in query.items() if name not in ("hmac", "signature"))
    secrets = (settings.client_secret, settings.previous_client_secret)
    if not signed_hex(urlencode(rest).encode(), query.get("hmac"), secrets):
        raise NotGenuine("the callback's hmac does not match its query under the connection's client secret")
    if query.get("shop", "").strip().lower() != account(settings):
        raise NotGenuine("the callback is of another shop than the connection's")
    if not query.get("code"):
        raise NotGenuine("the callback brings no code: the merchant did not agree")
    return _ask(settings, {"code": query["code"]})


def exchange(settings: Settings, session: str, now: datetime) -> Request:
    """Change a session token of the embedded app: a JWT by HS256 with the app's secret, good for a minute.

    Raises `NotGenuine` for one that is not of this app and shop, or has ended.
    """
    claims = _claims(session, (settings.client_secret, settings.previous_client_secret))
    at = now.timestamp()
    if claims.aud != settings.client_id or urlsplit(claims.dest).netloc.lower() != account(settings):
        raise NotGenuine("the session token is of another app or shop than the connection's")
    if not claims.nbf - CLOCKS_DIFFER_SECONDS <= at < claims.exp + CLOCKS_DIFFER_SECONDS:
        raise NotGenuine("the session token has ended, or is not good yet: take a fresh one")
    return _ask(
        settings,
        {
            "grant_type": EXCHANGE,
            "subject_token": session,
            "subject_token_type": ID_TOKEN,
            "requested_token_type": OFFLINE,
        },
    )


def _ask(settings: Settings, wanted: Mapping[str, str]) -> Request:
    """`expiring` asks for an access token of an hour with a refresh token that rotates, which public apps must use."""
    body = {"client_id": settings.client_id, "client_secret": settings.client_secret, **wanted, "expiring": "1"}
    return Request(
        method="POST",
        path=token_url(settings),
        operation="oauthAccessToken",
        headers={"content-type": "application/json", "accept": "application/json"},
        body=msgspec.json.encode(body),
    )


def _claims(session: str, secrets: Iterable[str | None]) -> _Session:
    """Claims of a JWT that one of the secrets signed; the algorithm is ours to choose, whatever its header says."""
    signed, _, tail = session.rpartition(".")
    try:
        mac, body = _decode(tail), _decode(signed.partition(".")[2])
    except (binascii.Error, ValueError) as error:
        raise NotGenuine("the session token is not a JWT") from error
    if not any(secret and hmac.compare_digest(mac, hmac_sha256(secret, signed.encode())) for secret in secrets):
        raise NotGenuine("the session token is not signed under the connection's client secret")
    try:
        return _session.decode(body)
    except msgspec.MsgspecError as error:
        raise NotGenuine(f"the session token's claims cannot be read: {error}") from error


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


SIGN_IN: Final = SignIn(authorise=authorise, granted=granted, exchange=exchange)
