"""Signing in at Square: the code grant by redirect. Pure.

Square signs nothing in the callback: that it is ours says the hub's own state. Whose grant it is says the connection
test, which names the seller behind the token and the one of the connection.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import msgspec

from adapters.square.settings import Settings, host
from hub.sdk.sign_in import NotGenuine, SignIn
from hub.sdk.wire import Request

PERMISSIONS: Final = (
    "ORDERS_READ",
    "ORDERS_WRITE",
    "PAYMENTS_READ",
    "PAYMENTS_WRITE",
    "INVENTORY_READ",
    "INVENTORY_WRITE",
    "ITEMS_READ",
    "CUSTOMERS_READ",
    "MERCHANT_PROFILE_READ",
)


def authorise(settings: Settings, state: str, redirect_uri: str) -> str:
    """The page on which the seller grants the application these permissions, asked for a log-in outside the sandbox.

    Raises `NotGenuine` where the connection has a token without an application, which would stay in use.
    """
    if not settings.application_id or not settings.application_secret:
        raise NotGenuine("the connection names no application_id and application_secret to sign in with")
    query = {
        "client_id": settings.application_id,
        "scope": " ".join(PERMISSIONS),
        "state": state,
        "redirect_uri": redirect_uri,
        **({} if settings.sandbox else {"session": "false"}),
    }
    return f"{host(settings)}/oauth2/authorize?{urlencode(query)}"


def granted(settings: Settings, query: Mapping[str, str], redirect_uri: str) -> Request:
    """Change the code, which is good for five minutes. Raises `NotGenuine` for a callback without one."""
    if query.get("error"):
        raise NotGenuine(f"the seller did not agree: {query['error']}")
    if not query.get("code"):
        raise NotGenuine("the callback brings no code: the seller did not agree")
    body = {
        "client_id": settings.application_id,
        "client_secret": settings.application_secret or "",
        "code": query["code"],
        "grant_type": "authorization_code",
        "redirect_uri": redirect_uri,
    }
    return Request(
        method="POST",
        path=f"{host(settings)}/oauth2/token",
        operation="obtainToken",
        headers={
            "content-type": "application/json",
            "accept": "application/json",
            "square-version": settings.square_version,
        },
        body=msgspec.json.encode(body),
    )


SIGN_IN: Final = SignIn(authorise=authorise, granted=granted)
