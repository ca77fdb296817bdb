"""Forms behind a signed link: each token is for one action on one thing, and whoever presses twice asked once."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from hub.domain.signed_link import BadLink, sign, verify
from hub.flow.ports import LostRace
from hub.store.admin import idempotency
from hub.store.admin.tokens import Actor, Role
from hub.web.services import RACES, Services, Work

Form = Mapping[str, str]


class BadForm(ValueError):
    """The form was not made here, is for something else, or is too old."""


def form_key(holder: str, key: bytes) -> bytes:
    """The key of forms from that of links, so that no form's token is a link."""
    return hashlib.sha256(f"crossdock {holder} form 1 ".encode() + key).digest()


@dataclass(kw_only=True)
class LinkWork(Work):
    """A write that the holder of a link asked for."""

    @property
    def who(self) -> str:
        """As rows name it; who that is, the link says."""
        return self.actor.name


@dataclass(frozen=True, kw_only=True)
class Forms:
    """The forms of one kind of page."""

    holder: str
    """Who holds the link: customer, supplier. A token of one is none of the other."""
    valid_for: timedelta
    key: bytes
    """The key of the page's links."""

    def token(self, hub: Services, about: str, action: str) -> str:
        """A token of a form: for one action on one thing, usable once."""
        return sign(f"{about}/{action}/{hub.new_id()}", hub.clock() + self.valid_for, form_key(self.holder, self.key))

    def once(self, hub: Services, token: str, about: str, action: str) -> str:
        """What makes a form unique. Raises `BadForm`."""
        try:
            whose, what, once = verify(token, hub.clock(), form_key(self.holder, self.key)).split("/")
        except (BadLink, ValueError) as error:
            raise BadForm("the form is not valid any more") from error
        if (whose, what) != (about, action):
            raise BadForm("the form is for something else")
        return once

    def actor(self, about: str, merchant: str) -> Actor:
        """Who writes: the holder of the link to `about`."""
        return Actor(token=f"link:{about}", name=self.holder, role=Role.VIEWER, merchant=merchant)


async def sent_before(hub: Services, actor: Actor, action: str, once: str) -> bool:
    """Whether a form was sent already: whoever presses twice is answered as the first time."""
    async with hub.database.connection() as connection:
        return await idempotency.find(connection, actor.token, f"{action}:{once}") is not None


async def submit(hub: Services, actor: Actor, action: str, once: str, do: Callable[[Work], Awaitable[None]]) -> None:
    """Run `do` in one transaction; a form that was sent before does nothing more. Raises what the action raises."""
    for tried in range(1, RACES + 1):
        try:
            async with hub.database.transaction() as connection:
                work = LinkWork(connection=connection, actor=actor, now=hub.clock(), hub=hub, lock_stock=tried > 1)
                key = f"{action}:{once}"
                if await idempotency.begin(connection, actor.token, key, b""):
                    return
                await do(work)
                await idempotency.keep(connection, actor.token, key, 303, "text/html", b"")
            break
        except (LostRace, asyncpg.DeadlockDetectedError):
            if tried == RACES:
                raise
    for lane in sorted(work.rings):
        hub.ring(lane)
