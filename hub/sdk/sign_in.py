"""Signing in at a vendor: what an adapter says of OAuth's code grant and of token exchange. Pure values."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from hub.sdk.wire import Request


class NotGenuine(Exception):
    """What came back is not what the vendor sends, or says that nothing was granted; the message says which."""


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """OAuth 2 as pure functions of an adapter's settings. The hub makes the state and keeps the token.

    The requests go to the vendor without the connection's credentials, and their answers are read by RFC 6749 5.1.
    """

    authorise: Callable[[Any, str, str], str]
    """(settings, state, redirect_uri) -> the vendor's page on which the merchant agrees.

    Raises `NotGenuine` where these settings are not for signing in."""
    granted: Callable[[Any, Mapping[str, str], str], Request]
    """(settings, query of the callback, redirect_uri) -> the request that changes the code into a token.

    Checks the vendor's own signature and the account first; raises `NotGenuine`. The state is the hub's to check."""
    exchange: Callable[[Any, str, datetime], Request] | None = None
    """(settings, token of the vendor's own session, now) -> the request that changes it into one of ours.

    Checks the session's signature, account and end first; raises `NotGenuine`."""
