"""What packers ask: which boxes, and the label for them."""

from litestar import Controller, get
from litestar.params import FromPath

from hub.store.admin.packing import LabelView, PackingView, get_label, get_packing
from hub.web.services import ApiRequest, Hub


class PackingTable(Controller):
    """The boxes and labels of fulfilment orders."""

    path = "/fulfilment-orders"
    tags = ("fulfilment",)

    @get("/{id:str}/boxes", summary="Read which boxes it fits")
    async def get_boxes(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> PackingView:
        """By the merchant's list of boxes (a policy of the kind `packing`); `assumed` says what nobody knows."""
        directory = await hub.directory()
        async with hub.database.connection() as connection:
            return await get_packing(connection, directory, request.user.merchant, id)

    @get("/{id:str}/label", summary="Read its label")
    async def get_label(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> LabelView:
        """The label that was bought once it was packed, and the boxes it is for; 404 before that."""
        async with hub.database.connection() as connection:
            return await get_label(connection, request.user.merchant, id)
