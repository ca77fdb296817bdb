"""Signing in at Amazon: a seller authorises the app in Seller Central. Pure.

The callback names the seller, and nothing in it is signed: that it is ours says the hub's own state.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from adapters.amazon.settings import Settings, token_url
from hub.sdk.sign_in import NotGenuine, SignIn
from hub.sdk.wire import Request

SELLER_CENTRAL: Final = {
    "na": "https://sellercentral.amazon.com",
    "eu": "https://sellercentral-europe.amazon.com",
    "fe": "https://sellercentral.amazon.co.jp",
}
ELSEWHERE: Final = {
    "A39IBJ37TRP1C6": "https://sellercentral.amazon.com.au",
    "A19VAU5U5O7RUS": "https://sellercentral.amazon.sg",
}
"""Marketplaces of the far east whose sellers have a Seller Central of their own."""


def authorise(settings: Settings, state: str, redirect_uri: str) -> str:
    """The page on which the seller authorises the app. The redirect is the one that the app is registered with.

    Raises `NotGenuine` where the connection does not name the app.
    """
    if not settings.application_id:
        raise NotGenuine(
            "the connection names no application_id: the app's id, amzn1.sp.solution..., not its client_id"
        )
    home = next((ELSEWHERE[one] for one in settings.marketplace_ids if one in ELSEWHERE), None)
    query = {"application_id": settings.application_id, "state": state, "redirect_uri": redirect_uri}
    if settings.draft_app:
        query["version"] = "beta"
    return f"{home or SELLER_CENTRAL[settings.region]}/apps/authorize/consent?{urlencode(query)}"


def granted(settings: Settings, query: Mapping[str, str], redirect_uri: str) -> Request:
    """Change the code, which is good for five minutes, into a refresh token of LWA.

    Raises `NotGenuine` for another seller than the connection's, or without a code.
    """
    if query.get("selling_partner_id") != settings.seller_id:
        raise NotGenuine("the callback is of another seller than the connection's")
    if not query.get("spapi_oauth_code"):
        raise NotGenuine("the callback brings no code: the seller did not agree")
    body = {
        "grant_type": "authorization_code",
        "code": query["spapi_oauth_code"],
        "redirect_uri": redirect_uri,
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
    }
    return Request(
        method="POST",
        path=token_url(settings),
        operation="lwaToken",
        headers={"content-type": "application/x-www-form-urlencoded", "accept": "application/json"},
        body=urlencode(body).encode(),
    )


SIGN_IN: Final = SignIn(authorise=authorise, granted=granted)
