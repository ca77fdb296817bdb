"""The simulator's general journals: lines that are posted together into the general ledger, or not at all."""

from decimal import Decimal

from adapters.business_central.simulator_books import Books, Record, Refused, only

WRITTEN = {
    "journals": ("code", "displayName"),
    "journalLines": (
        "accountType",
        "accountNumber",
        "postingDate",
        "documentNumber",
        "externalDocumentNumber",
        "amount",
        "description",
    ),
}
"""Fields that may be written, per entity."""


def add_journal(books: Books, values: Record) -> Record:
    """A journal; a code that is taken is refused."""
    only(values, "journals", WRITTEN["journals"])
    if any(one["code"] == values["code"] for one in books.journals.values()):
        message = f"The record already exists in table Gen. Journal Batch. Name='{values['code']}'"
        raise Refused(400, "Internal_EntityWithSameKeyExists", message)
    return books.keep(books.journals, values)


def add_line(books: Books, journal: Record, values: Record) -> Record:
    """A line; its account must be there."""
    only(values, "journalLines", WRITTEN["journalLines"])
    if not str(values["accountNumber"]).isdigit():
        message = f"The G/L Account does not exist. No.='{values['accountNumber']}'"
        raise Refused(400, "Internal_RecordNotFound", message)
    return books.keep(books.journal_lines, {**values, "amount": Decimal(values["amount"]), "journalId": journal["id"]})


def lines_of(books: Books, journal: str) -> list[Record]:
    """Lines of a journal, in sequence."""
    return [line for line in books.journal_lines.values() if line["journalId"] == journal]


def post_journal(books: Books, journal: Record) -> None:
    """Post all lines; they go, and the journal stays."""
    lines = lines_of(books, journal["id"])
    if not lines:
        raise Refused(400, "Application_DialogException", "There is nothing to post.")
    off = sum((line["amount"] for line in lines), Decimal(0))
    if off:
        raise Refused(400, "Application_DialogException", f"The lines in the journal are out of balance by {off}.")
    for line in lines:
        books.check_open(line["postingDate"])
    for line in lines:
        amount = line["amount"]
        sides = {"debitAmount": max(amount, Decimal(0)), "creditAmount": max(-amount, Decimal(0))}
        copied = {name: line[name] for name in ("accountNumber", "postingDate", "documentNumber", "description")}
        books.keep(books.entries, {**copied, **sides})
        del books.journal_lines[line["id"]]
