"""The supplier's page as HTML: everything escaped, no script, nothing from another host. Pure."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

from hub.web.supplier.standing import LineStanding, Stage, Standing

SAID: Final[Mapping[str, str]] = {
    "accept": "Thank you. We have your answer.",
    "refuse": "Thank you. We shall find another way.",
    "ship": "Thank you. The parcel is recorded.",
    "stop": "Thank you. We have your answer.",
}
STAGES: Final[Mapping[Stage, str]] = {
    Stage.NEW: "New: please accept or refuse",
    Stage.TAKEN: "Accepted",
    Stage.STOPPING: "Cancelled by us: please do not send it",
    Stage.SENT: "Sent",
    Stage.OVER: "Nothing of this order is wanted any more. Please send nothing.",
}
REASONS: Final[Mapping[str, str]] = {
    "out_of_stock": "out of stock",
    "discontinued": "discontinued",
    "price": "the price",
    "capacity": "no capacity",
    "other": "another reason",
}


class Shown(NamedTuple):
    """What is on the page."""

    standing: Standing
    tokens: Mapping[str, str]
    """Token of each form that is offered, by action."""
    note: str | None = None
    fault: str | None = None


def page(shown: Shown, path: str) -> str:
    """The page. `path` is its own address on this host."""
    one = shown.standing
    parts = [f"<h1>Purchase order {escape(one.number)}</h1>"]
    if shown.note:
        parts.append(f'<p class="note" role="status">{escape(shown.note)}</p>')
    if shown.fault:
        parts.append(f'<p class="fault" role="alert">{escape(shown.fault)}</p>')
    parts.append(_what(one))
    for action, title, button, fields in _forms(one):
        token = shown.tokens.get(action)
        if token is not None:
            parts.append(_form(f"{path}/{action}", token, title, button, fields, open=action == "accept"))
    return _document(f"Purchase order {one.number}", parts)


def plain(title: str, text: str) -> str:
    """A page that says one thing."""
    return _document(title, [f"<h1>{escape(title)}</h1><p>{escape(text)}</p>"])


def _document(title: str, parts: Sequence[str]) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="/o.css"></head><body>'
        + "\n".join(parts)
        + "</body></html>\n"
    )


def _what(one: Standing) -> str:
    rows = []
    for line in one.lines:
        cost = line.stated if line.stated is not None else line.agreed
        price = f"<br><small>{cost} {escape(one.currency or '')} a unit</small>" if cost is not None else ""
        left = f" ({line.sent} sent)" if line.sent else ""
        rows.append(
            f"<li>{line.open + line.sent} × {escape(line.title)}{left}<br><small>{escape(line.sku)}</small>{price}</li>"
        )
    told = [f'<p class="stage">{escape(STAGES[one.stage])}</p>', f"<ul>{''.join(rows)}</ul>"]
    facts = (("Ship by", one.ship_by), ("You promised", one.ships_on), ("Service", one.service))
    told += [f"<p>{escape(name)}: {escape(value)}</p>" for name, value in facts if value]
    if one.to:
        told.append(f"<p>Ship to:<br>{'<br>'.join(escape(line) for line in one.to)}</p>")
    told += [f"<p><small>{escape(number)}</small></p>" for number in one.tracking if number]
    return f"<section>{''.join(told)}</section>"


def _forms(one: Standing) -> list[tuple[str, str, str, str]]:
    """(action, title, button, fields) of what can be done at this stage."""
    match one.stage:
        case Stage.NEW:
            return [_accept(one, "Accept"), _refuse()]
        case Stage.TAKEN:
            return [_ship(one), _accept(one, "Change the date, the cost or the units"), _refuse()]
        case Stage.STOPPING:
            choice = _choice(
                "answer", "Could you stop it?", {"stopped": "Yes, nothing leaves", "too_late": "No, too late"}
            )
            return [("stop", "Answer", "Send", choice)]
        case _:
            return []


def _accept(one: Standing, title: str) -> tuple[str, str, str, str]:
    fields = _field("ships_on", "It leaves on", f'type="date" required value="{escape(one.ships_on or "")}"')
    fields += _field("currency", "Currency of your cost", f'maxlength="3" value="{escape(one.currency or "")}"')
    for line in one.lines:
        if line.open:
            fields += _asked(line)
    return "accept", title, "Send", fields + _choice("reason", "If you refuse units, why", REASONS)


def _asked(line: LineStanding) -> str:
    cost = line.stated if line.stated is not None else line.agreed
    value = "" if cost is None else str(cost)
    name = f"{line.title}: "
    return _field(
        f"cost-{line.line}", f"{name}cost of one unit", f'inputmode="decimal" value="{escape(value)}"'
    ) + _field(
        f"refused-{line.line}",
        f"{name}units that you cannot send (0-{line.open})",
        f'type="number" min="0" max="{line.open}" value="0"',
    )


def _refuse() -> tuple[str, str, str, str]:
    return "refuse", "Refuse all of it", "Refuse", _choice("reason", "Why", REASONS)


def _ship(one: Standing) -> tuple[str, str, str, str]:
    fields = _field("carrier", "Carrier", "required") + _field("tracking", "Tracking number", "required")
    for line in one.lines:
        if line.open:
            more = f'type="number" min="0" max="{line.open}" value="{line.open}"'
            fields += _field(f"units-{line.line}", f"{line.title}: units in this parcel", more)
    return "ship", "A parcel left", "Send", fields


def _choice(name: str, label: str, options: Mapping[str, str]) -> str:
    found = "".join(f'<option value="{escape(key)}">{escape(text)}</option>' for key, text in options.items())
    return f'<label>{escape(label)}<select name="{escape(name)}">{found}</select></label>'


def _form(action: str, token: str, title: str, button: str, fields: str, *, open: bool) -> str:
    return (
        f"<details{' open' if open else ''}><summary>{escape(title)}</summary>"
        f'<form method="post" action="{escape(action)}"><input type="hidden" name="form" value="{escape(token)}">'
        f"{fields}<button>{escape(button)}</button></form></details>"
    )


def _field(name: str, label: str, more: str) -> str:
    limit = "" if "maxlength" in more else ' maxlength="200"'
    return f'<label>{escape(label)}<input name="{escape(name)}"{limit} {more}></label>'
