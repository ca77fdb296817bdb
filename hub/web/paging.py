"""`limit` and `cursor` of every list."""

from typing import Annotated

from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation

from hub.store.admin.paging import DEFAULT_LIMIT, LARGEST_LIMIT, Cut

Limit = Annotated[int, QueryParameter(ge=1, le=LARGEST_LIMIT, description=f"Rows per page, at most {LARGEST_LIMIT}.")]
Cursor = Annotated[str | None, QueryParameter(max_length=2000, description="`next` of the page before.")]


def provide_cut(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Cut:
    """The part of a list that the query asks for."""
    return Cut(limit=limit, cursor=cursor)


Paged = NamedDependency[SkipValidation[Cut]]
