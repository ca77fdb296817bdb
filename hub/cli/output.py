"""How commands print lists: a table for people, JSON for programs."""

import json
from collections.abc import Mapping, Sequence

import rich_click as click
from rich.console import Console
from rich.table import Table
from rich.text import Text

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def show(rows: Sequence[Mapping[str, object]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(list(rows), default=str))
        return
    table = Table(*(rows[0] if rows else ["nothing"]))
    for row in rows:
        table.add_row(*(Text(str(value)) for value in row.values()))
    Console().print(table)
