"""Run by Tryton's own Python, never by ours: founds the database of an empty company, or serves one.

    PYTHONPATH=<this repository> <environment>/bin/python -m adapters.tryton.inside found|serve <configuration> [<file>]

All of it is Tryton's own code, with three things left out that cost most of the time and change no answer: its modules'
own records are not validated again while they are loaded, the menus and windows of its desktop client are not
loaded, and passwords are hashed by the same function at its cheapest. `serve` runs `trytond` as it is.
"""

# mypy: disable-error-code="import-not-found,no-any-return"

import gc
import os
import sys
from typing import Any, Final

from adapters.tryton.company import found_company
from adapters.tryton.peer import DATABASE, Rpc, result

MODULES: Final = ("sale", "purchase")
"""With what they depend on: stock, accounts, invoices, products, parties."""
SHOWN: Final = frozenset(
    {
        "ir.action-res.group",
        "ir.action.act_window",
        "ir.action.act_window.domain",
        "ir.action.act_window.view",
        "ir.action.keyword",
        "ir.ui.icon",
        "ir.ui.menu",
        "ir.ui.menu-res.group",
    }
)
"""Models of records that only the desktop client reads."""


def found(configuration: str, secret: str) -> None:
    """Modules, the administrator and the company, in one process."""
    os.environ |= {"TRYTOND_CONFIG": configuration, "TRYTONPASSFILE": secret}
    # What is made here is kept until the process ends, which is soon.
    gc.disable()
    from trytond import admin, commandline, convert
    from trytond.model import ModelStorage

    _cheap_passwords()
    validate = ModelStorage.__dict__["_validate"]
    ModelStorage._validate = classmethod(lambda cls, records, field_names=None: None)
    _skip_shown(convert.TrytondXmlHandler)
    command = ["-d", DATABASE, "-u", *MODULES, "--activate-dependencies", "--email", "admin@example.com"]
    options = commandline.get_parser_admin().parse_args(command)
    # A table of tests is small.
    options.indexes = False
    admin.run(options)
    ModelStorage._validate = validate
    _company()


def serve(configuration: str) -> None:
    """Tryton's own server, until it is ended."""
    os.environ["TRYTOND_CONFIG"] = configuration
    # The classes of all models are made while it starts, and stay.
    gc.set_threshold(50_000, 20, 20)
    from trytond import cli

    _cheap_passwords()
    sys.argv = ["trytond", "-d", DATABASE]
    cli.main()


def _cheap_passwords() -> None:
    """Each session checks one, which by Tryton's parameters takes a third of a second of both processors."""
    import pwdlib
    from pwdlib.hashers.argon2 import Argon2Hasher
    from trytond.res import user

    user.PASSWORD_HASH = pwdlib.PasswordHash([Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)])


def _skip_shown(handler: Any) -> None:
    """Have the reader of modules' XML pass over records of `SHOWN`."""
    begin, end = handler.startElement, handler.endElement

    def begun(self: Any, name: str, attributes: Any) -> None:
        if not self.taghandler and (name == "menuitem" or (name == "record" and attributes.get("model") in SHOWN)):
            self.passed_over = name
        elif getattr(self, "passed_over", None) is None:
            begin(self, name, attributes)

    def ended(self: Any, name: str) -> None:
        if getattr(self, "passed_over", None) is None:
            end(self, name)
        elif self.passed_over == name:
            self.passed_over = None

    handler.startElement, handler.endElement = begun, ended


def _company() -> None:
    """Through the same calls that a client makes, without a socket between."""
    from trytond.wsgi import app
    from werkzeug.test import Client

    client = Client(app)

    def exchange(path: str, document: object, headers: dict[str, str]) -> Any:
        return result(client.post(path, json=document, headers=headers).json)

    found_company(Rpc(exchange))


if __name__ == "__main__":
    if sys.argv[1] == "found":
        found(*sys.argv[2:])
    else:
        serve(*sys.argv[2:])
