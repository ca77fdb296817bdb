"""API tokens."""

from typing import Annotated

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.params import FromPath, JSONBody
from msgspec.structs import replace

from hub.store.admin import tokens
from hub.store.admin.paging import Page
from hub.store.admin.tokens import Actor, NewToken, Role, Token
from hub.web.auth import NEEDS
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token to make."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    role: Role


class Tokens(Controller):
    """Tokens of the merchant; the secret is shown once."""

    path = "/tokens"
    tags = ("tokens",)
    opt = {NEEDS: Role.ADMIN}  # noqa: RUF012

    @get("/", summary="List tokens")
    async def list_tokens(self, hub: Hub, request: ApiRequest, cut: Paged) -> Page[Token]:
        """Tokens, revoked ones included, never their secrets."""
        async with hub.database.connection() as connection:
            return await tokens.list_tokens(connection, request.user.merchant, cut)

    @post("/", summary="Make a token")
    async def create_token(self, hub: Hub, request: ApiRequest, data: JSONBody[TokenRequest]) -> Response[NewToken]:
        """Make a token. Its text is in this answer and nowhere else; a replayed answer does not hold it again."""

        async def work(tx: Work) -> NewToken:
            return await tokens.create_token(
                tx.connection, name=data.name, role=data.role, merchant=tx.merchant, new_id=hub.new_id
            )

        return await commit(hub, request, work, status=201, keep_as=lambda made: replace(made, token=""))

    @get("/self", summary="Who am I", opt={NEEDS: Role.VIEWER})
    async def whoami(self, request: ApiRequest) -> Actor:
        """The token that is used."""
        return request.user

    @delete("/{token:str}", summary="Revoke a token")
    async def revoke_token(self, hub: Hub, request: ApiRequest, token: FromPath[str]) -> Response[None]:
        """End a token at once."""

        async def work(tx: Work) -> None:
            await tokens.revoke_token(tx.connection, tx.merchant, token, tx.now)

        return await commit(hub, request, work, status=204)
