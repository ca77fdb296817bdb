"""The `crossdock` command."""

import sys

import rich_click as click

from hub.cli.adapters import adapter, adapters
from hub.cli.administration import db, doctor, messages, orders, policy, stock, token
from hub.cli.demo import demo, sim
from hub.cli.errors import in_one_line
from hub.cli.lint import policy_lint
from hub.cli.restored import db_restored
from hub.cli.secrets import secrets
from hub.cli.simulation import policy_simulate
from hub.log import configure


@click.group()
def crossdock() -> None:
    """An integration hub with a distributed order manager inside.

    Exit codes: 0 done, 1 something is wrong and was said, 2 the command's own words are wrong.
    """


@crossdock.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
def up(host: str | None, port: int | None) -> None:
    """Engines (embedded unless configured), web and workers in one command."""
    from hub.processes import run_up

    sys.exit(run_up(host, port))


@crossdock.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
def web(host: str | None, port: int | None) -> None:
    """One web process, for scaling out."""
    from hub.processes import run_web

    sys.exit(run_web(host, port))


@crossdock.command()
def worker() -> None:
    """One worker process, for scaling out."""
    from hub.processes import run_worker

    sys.exit(run_worker())


for command in (adapter, adapters, db, demo, doctor, messages, orders, policy, secrets, sim, stock, token):
    crossdock.add_command(command)

db.add_command(db_restored)
policy.add_command(policy_lint)
policy.add_command(policy_simulate)


def main() -> None:
    """Entry point. What the user can mend is said in one line; anything else shows its trace."""
    configure("warning")
    with in_one_line():
        crossdock(prog_name="crossdock")


if __name__ == "__main__":
    main()
