"""Grants of a simulated shop: codes that are good once, tokens of an hour, refresh tokens that rotate."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec

from hub.sdk.webhook import hmac_sha256

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(hours=24)


class Grants:
    """What the shop granted to one app."""

    def __init__(self, client_id: str, client_secret: str, now: Callable[[], datetime]) -> None:
        self.client_id, self.client_secret, self.now = client_id, client_secret, now
        self.codes: set[str] = set()
        """Not yet changed into a token."""
        self.refresh_tokens: set[str] = set()
        self.access_tokens: dict[str, datetime] = {}
        """Until when each is good."""
        self.asked: list[str] = []
        """Grant types, in the order they were asked for."""
        self._made = 0

    def good(self, token: str) -> bool:
        """Whether a token still opens the shop."""
        return token in self.access_tokens and self.now() < self.access_tokens[token]

    def agree(self, shop: str, state: str) -> dict[str, str]:
        """The merchant agrees: the query with which the shop sends the browser back."""
        code = self._new("code")
        self.codes.add(code)
        query = {"code": code, "shop": shop, "state": state, "timestamp": str(int(self.now().timestamp()))}
        signed = urlencode(sorted(query.items())).encode()
        return {**query, "hmac": hmac_sha256(self.client_secret, signed).hex()}

    def answer(self, content_type: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Status and body of a call of the token endpoint."""
        asked = self._read(content_type, body)
        if not self.client_secret or (asked.get("client_id"), asked.get("client_secret")) != (
            self.client_id,
            self.client_secret,
        ):
            return 400, {"error": "invalid_client"}
        kind = asked.get("grant_type") or "code"
        self.asked.append(kind)
        match kind:
            case "client_credentials":
                return 200, self._token(DAY)
            case "refresh_token" if asked.get("refresh_token") in self.refresh_tokens:
                self.refresh_tokens.discard(asked["refresh_token"])
            case "code" if asked.get("code") in self.codes:
                self.codes.discard(asked["code"])
            case "urn:ietf:params:oauth:grant-type:token-exchange" if asked.get("subject_token"):
                pass
            case _:
                return 400, {"error": "invalid_grant"}
        fresh = self._new("shprt")
        self.refresh_tokens.add(fresh)
        return 200, {**self._token(HOUR), "refresh_token": fresh, "refresh_token_expires_in": 7776000}

    def _read(self, content_type: str, body: bytes) -> Mapping[str, str]:
        if content_type.startswith("application/json"):
            return msgspec.json.decode(body, type=dict[str, str])
        return dict(parse_qsl(body.decode()))

    def _token(self, life: timedelta) -> dict[str, Any]:
        token = self._new("shpat")
        self.access_tokens[token] = self.now() + life
        return {"access_token": token, "scope": "read_orders", "expires_in": int(life.total_seconds())}

    def _new(self, kind: str) -> str:
        self._made += 1
        return f"{kind}_{self._made:06d}"
