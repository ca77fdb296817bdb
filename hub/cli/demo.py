"""`crossdock demo` and `crossdock sim`: the hub with simulated vendors, and one simulated vendor alone."""

import asyncio
import sys
from pathlib import Path

import msgspec
import rich_click as click


@click.command()
@click.option("--orders", type=click.IntRange(min=1), help="How many orders; 200, or all of the file, when left out.")
@click.option(
    "--orders-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Real baskets: CSV or .csv.gz with order_id, ordered_at, sku, qty, unit_price, customer_id, country.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same world.")
@click.option("--exit", "leave", is_flag=True, help="Stop when every order has come to rest.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object; progress goes to stderr.")
@click.option("--calm", is_flag=True, help="No faults: vendors answer every time, webhooks come once and in order.")
def demo(orders: int | None, orders_file: Path | None, seed: int, leave: bool, as_json: bool, calm: bool) -> None:
    """A seeded retailer with simulated vendors over real HTTP, in a database of its own; stays up until Ctrl-C.

    Exits with 1 unless every order came to rest and every invariant holds.
    """
    from hub.demo.api import ApiFault
    from hub.demo.audit import Report
    from hub.demo.baskets import FileFault
    from hub.demo.cast import CastMissing
    from hub.demo.engines import NotEmpty
    from hub.demo.run import Options, run
    from hub.log import configure

    configure("error")

    def tell(report: Report) -> None:
        if as_json:
            print(msgspec.json.encode(report).decode(), flush=True)

    options = Options(orders=orders, orders_file=orders_file, seed=seed, leave=leave, calm=calm)
    try:
        good = run(options, tell)
    except (ApiFault, CastMissing, FileFault, NotEmpty) as error:
        print(f"crossdock: {error}", file=sys.stderr)
        sys.exit(1)
    sys.exit(0 if good else 1)


@click.command()
@click.argument("vendor")
@click.option("--port", type=int, default=0, help="Port to listen on; any free one when left out.")
@click.option("--webhooks", help="URL of the connection's webhooks at a hub: http://127.0.0.1:8080/webhooks/{id}.")
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="Of its credentials and secrets, its faults and its warehouse's luck: the same again for the same seed.",
)
@click.option("--calm", is_flag=True, help="No faults.")
def sim(vendor: str, port: int, webhooks: str | None, seed: int, calm: bool) -> None:
    """One simulated vendor alone: prints the config of a connection to it, and serves until Ctrl-C.

    With a fixed --port and --seed the config is the same each time: connect once, then start it again with --webhooks.
    """
    from hub.demo.alone import UnknownVendor, serve
    from hub.log import configure

    configure("error")
    try:
        asyncio.run(serve(vendor, port=port, webhooks=webhooks, seed=seed, calm=calm))
    except UnknownVendor as error:
        print(f"crossdock: {error}", file=sys.stderr)
        sys.exit(1)
