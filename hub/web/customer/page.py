"""The customer's page as HTML: everything escaped, no script, nothing from another host. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from hub.flow.notices import Notices
from hub.flow.standing import GroupStanding, ParcelStanding

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": POLICY,
    # The address itself is the key to the page.
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-robots-tag": "noindex",
    "x-content-type-options": "nosniff",
}

STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 34rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: 1.5rem 0 .25rem; }
section, details { border: 1px solid #8886; border-radius: 8px; padding: .75rem 1rem; margin: 1rem 0; }
ul { list-style: none; padding: 0; margin: .5rem 0; } li { margin: .25rem 0; overflow-wrap: anywhere; }
.stage { font-size: 1.2rem; font-weight: 600; margin: 0; }
.note { border-left: 4px solid #2a7; padding-left: .75rem; }
.fault { border-left: 4px solid #c33; padding-left: .75rem; }
label { display: block; margin: .75rem 0; } input, select, button { font: inherit; padding: .6rem; width: 100%;
  box-sizing: border-box; margin-top: .25rem; } button { font-weight: 600; cursor: pointer; }
.code { font-size: 1.8rem; letter-spacing: .15em; }
summary { cursor: pointer; padding: .4rem 0; } small { opacity: .75; }
"""


class ReturnRow(NamedTuple):
    """A return as its customer sees it."""

    state: str
    label: str | None
    """Address of its postage, where there is some to print."""


class Offered(NamedTuple):
    """What the customer may do now, with the token of each form. None is not offered."""

    cancel: str | None = None
    address: str | None = None
    give_back: str | None = None
    returnable: Sequence[tuple[str, str, int]] = ()
    """(line, title, units)."""
    codes: Mapping[str, str] = {}
    """Of groups that are collected with a code."""


class Shown(NamedTuple):
    """Everything on the page."""

    number: str
    placed: str
    groups: Sequence[GroupStanding]
    returns: Sequence[ReturnRow]
    offered: Offered
    note: str | None = None
    fault: str | None = None
    code: tuple[str, str] | None = None
    """(group, code) that was made for this answer."""


def page(shown: Shown, words: Notices, path: str) -> str:
    """The page. `path` is its own address on this host."""
    say = words.page
    parts = [f"<h1>{escape(say.title.replace('{number}', shown.number))}</h1>"]
    parts.append(f"<p><small>{escape(say.placed.replace('{date}', shown.placed))}</small></p>")
    if shown.note:
        parts.append(f'<p class="note" role="status">{escape(shown.note)}</p>')
    if shown.fault:
        parts.append(f'<p class="fault" role="alert">{escape(shown.fault)}</p>')
    parts += [_group(group, words, _code(shown, group.key, words, path)) for group in shown.groups]
    if shown.returns:
        parts.append(f"<h2>{escape(say.returns)}</h2>")
        parts += [_return(one, words) for one in shown.returns]
    forms = _forms(shown.offered, words, path)
    if forms:
        parts += [f"<h2>{escape(say.change)}</h2>", *forms]
    return _document(say.title.replace("{number}", shown.number), parts, words.language)


def plain(title: str, text: str, language: str) -> str:
    """A page that says one thing."""
    return _document(title, [f"<h1>{escape(title)}</h1><p>{escape(text)}</p>"], language)


def _document(title: str, parts: Iterable[str], language: str) -> str:
    return (
        f'<!doctype html>\n<html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="/o.css"></head><body>'
        + "\n".join(parts)
        + "</body></html>\n"
    )


def _group(group: GroupStanding, words: Notices, code: str) -> str:
    say = words.page
    lines = "".join(f"<li>{line.quantity} × {escape(line.title)}</li>" for line in group.lines)
    told = [f'<p class="stage">{escape(words.stages[group.stage.value])}</p>']
    if group.cause:
        told.append(f"<p>{escape(words.causes[group.cause])}</p>")
    if group.promise is not None:
        at = group.promise.at
        date = say.expected.replace("{date}", at.date().isoformat()) if at else None
        if date or group.promise.waiting:
            told.append(f"<p>{escape(date or say.expected_unknown)}</p>")
    if group.region:
        told.append(f"<p><small>{escape(say.to.replace('{region}', group.region))}</small></p>")
    parcels = "".join(_parcel(parcel, words) for parcel in group.parcels)
    return f"<section>{''.join(told)}<ul>{lines}</ul>{f'<ul>{parcels}</ul>' if parcels else ''}{code}</section>"


def _code(shown: Shown, group: str, words: Notices, path: str) -> str:
    """The code that was just made, and the button that makes one."""
    say, told = words.page, ""
    if shown.code is not None and shown.code[0] == group:
        told = f'<p role="status">{escape(say.code_is)}: <strong class="code">{escape(shown.code[1])}</strong></p>'
        told += f"<p>{escape(say.code_note)}</p>"
    token = shown.offered.codes.get(group)
    if token is None:
        return told
    hidden = f'<input type="hidden" name="group" value="{escape(group)}">'
    return told + _open_form(path, "code", token, hidden, say.code_ask)


def _parcel(parcel: ParcelStanding, words: Notices) -> str:
    status = words.parcels.get(parcel.status, words.parcels["unknown"])
    day = f" · {parcel.at.date().isoformat()}" if parcel.at else ""
    name = " ".join(word for word in (parcel.carrier, parcel.tracking) if word)
    link = ""
    if parcel.url and is_web(parcel.url):
        link = f' <a href="{escape(parcel.url)}" rel="noreferrer noopener">{escape(words.page.track)}</a>'
    return f"<li><strong>{escape(status)}</strong>{day}<br><small>{escape(name)}</small>{link}</li>"


def is_web(url: str) -> bool:
    """Whether a link of a partner's may be shown: a script is none."""
    try:
        return urlsplit(url).scheme in ("https", "http")
    except ValueError:
        return False


def _return(one: ReturnRow, words: Notices) -> str:
    label = ""
    if one.label and (is_web(one.label) or one.label.startswith(("data:application/pdf;", "data:image/png;"))):
        label = f'<p><a href="{escape(one.label)}" download rel="noreferrer">{escape(words.page.label)}</a></p>'
    return f'<section><p class="stage">{escape(words.return_states[one.state])}</p>{label}</section>'


# --- forms -----------------------------------------------------------------------------------------------------------


def _forms(offered: Offered, words: Notices, path: str) -> list[str]:
    say, found = words.page, []
    if offered.address is not None:
        fields = "".join(
            _field(name, label, required=required, more=more)
            for name, label, required, more in (
                ("name", say.name, True, 'autocomplete="name"'),
                ("street", say.street, True, 'autocomplete="address-line1"'),
                ("more", say.more, False, 'autocomplete="address-line2"'),
                ("postal_code", say.postal_code, False, 'autocomplete="postal-code"'),
                ("city", say.city, True, 'autocomplete="address-level2"'),
                ("region", say.region, False, 'autocomplete="address-level1"'),
                ("country", say.country, True, 'autocomplete="country" minlength="2" maxlength="2"'),
            )
        )
        found.append(_form(path, "address", offered.address, say.address, fields, say.address_save))
    if offered.give_back is not None:
        rows = "".join(
            _field(f"units-{line}", f"{title} (0-{units})", more=f'type="number" min="0" max="{units}" value="0"')
            for line, title, units in offered.returnable
        )
        reasons = "".join(
            f'<option value="{escape(key)}">{escape(text)}</option>' for key, text in words.reasons.items()
        )
        rows += f'<label>{escape(say.reason)}<select name="reason">{reasons}</select></label>'
        found.append(_form(path, "return", offered.give_back, say.give_back, rows, say.give_back_send))
    if offered.cancel is not None:
        found.append(_form(path, "cancel", offered.cancel, say.cancel, "", say.cancel_sure))
    return found


def _form(path: str, action: str, token: str, title: str, fields: str, button: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{_open_form(path, action, token, fields, button)}</details>"


def _open_form(path: str, action: str, token: str, fields: str, button: str) -> str:
    return (
        f'<form method="post" action="{escape(path)}/{action}">'
        f'<input type="hidden" name="form" value="{escape(token)}">{fields}'
        f"<button>{escape(button)}</button></form>"
    )


def _field(name: str, label: str, *, required: bool = False, more: str = "") -> str:
    need = " required" if required else ""
    return f'<label>{escape(label)}<input name="{escape(name)}" maxlength="200"{need} {more}></label>'
