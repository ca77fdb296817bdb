"""Writes a mapping as a Python function: one expression per field, nothing looked up or interpreted per order.

Two readings come from one spec. The lean one reads structs of the mapping's own shape and calls the adapter's functions
directly; it may fail on a document that is not shaped as expected. The careful one reads dicts, never fails, and turns
what it cannot read into problems. Their results agree wherever the lean one has one (property test).

Only names and constants of mapping files, which ship with an adapter, become code, each through `repr` or checked to be
a known field. A merchant's overlay never comes here.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from hub.domain.contact import Contact
from hub.domain.money import Amounts
from hub.domain.order import DeliveryGroup, OrderContent, OrderLine
from hub.domain.payment import Payment
from hub.mapping.access import Access, Scope, through
from hub.mapping.errors import MappingFault
from hub.mapping.shape import Node
from hub.mapping.spec import AmountsSpec, Fields, Path, Record, Source, Spec

PLACEHOLDERS: Final = {
    "id": '""',
    "text": '""',
    "microseconds": "0",
    "count": "0",
    "quantity": "0",
    "money": "0",
    "time": "EPOCH",
    "currency": '"XXX"',
}
"""What stands in a field that must hold something when the document has nothing readable. Each is evidently no answer
(XXX is ISO's code for "no currency") and comes with a problem that holds the order."""

_QUICK: Final = {
    "text": "({v} or None) if ({v} := {raw}).__class__ is str else ",
    "private": "({v} or None) if ({v} := {raw}).__class__ is str else ",
    "lines": "({v} or None) if ({v} := {raw}).__class__ is str else ",
    "id": "str({v}) if ({v} := {raw}).__class__ is int else ",
    "flag": "{v} if ({v} := {raw}).__class__ is bool else ",
    "count": "{v} if ({v} := {raw}).__class__ is int and 0 <= {v} <= LARGEST_COUNT else ",
    "quantity": "{v} if ({v} := {raw}).__class__ is int and 0 < {v} <= LARGEST_COUNT else ",
}
"""The common case of a type, answered without a call."""


class Writer(Access):
    """Writes one reading of a spec."""

    def __init__(self, spec: Spec, shape: Node, *, lean: bool) -> None:
        super().__init__(shape, lean=lean)
        self.spec = spec
        self.out: list[str] = []
        self.indent = 1

    def write(self) -> str:
        """The source of `read(document, find, problems) -> OrderSnapshot`."""
        spec = self.spec
        self.out = ["def read(document, find, problems):"]
        self.root = msgspec.structs.replace(self.root, lets=self._lets(spec.let, self.root, "let"))
        self._content(spec.content)
        self._contacts(spec.contacts)
        self._lines(spec.lines)
        for name, amounts in spec.amounts.items():
            self._amounts(name, amounts)
        self._groups(spec.groups)
        self._payments(spec.payments)
        sets = "".join(f"{name}=amounts_{name}, " for name in ("edited", "refunded") if name in spec.amounts)
        self._line(
            "content = OrderContent(**content, currency=currency, amounts=amounts_placed, lines=tuple(lines), "
            f"groups=groups, {sets}payments=payments)"
        )
        self._line("return OrderSnapshot(content=content, contacts=contacts, problems=told_once(problems))")
        return "\n".join(self.out) + "\n"

    # --- sections ---------------------------------------------------------------------------------------------------

    def _content(self, record: Record) -> None:
        scope = self.root
        identity, *others = (source.paths[0] for source in record.fields["external_id"])
        if others:
            raise MappingFault("content.external_id", "needs one path: an order has one identity")
        self._line(f"external_id = identity({self._raw(identity, scope)}, {identity.text!r})")
        self._line(f"currency = {self._value('currency', record.fields['currency'], scope, OrderContent)}")
        fields = {name: record.fields[name] for name in record.fields if name not in ("external_id", "currency")}
        built = ", ".join(f"{name!r}: {self._value(name, fields[name], scope, OrderContent)}" for name in fields)
        self._line(f"content = {{'external_id': external_id, {built}}}")

    def _contacts(self, records: Mapping[str, Record]) -> None:
        self._line("contacts = {}")
        for key, record in records.items():
            if record.at is None:
                raise MappingFault(f"contacts.{key}.from", "is missing: where the person stands in the document")
            scope = self._entered(record.at, f"contacts.{key}.", "person")
            self._line(f"person = {self._raw(record.at, self.root)}")
            self._line(
                "if person is not None:" if scope.node is not None and self.lean else "if isinstance(person, dict):"
            )
            with_lines = dict(record.fields)
            street = with_lines.pop("lines", ())
            built = self._built(with_lines, scope, Contact)
            parts = "".join(f"{self._candidate(source, scope, 'lines')}, " for source in street)
            self._line(f"    person = Contact({built}lines=tuple(filter(None, ({parts}))))")
            self._line("    if person != NOBODY:")
            self._line(f"        contacts[{key!r}] = person")

    def _lines(self, record: Record) -> None:
        self._line("lines = []")
        for scope in self._rows(record, "lines.", line="line"):
            sources = record.fields["external_id"]
            self.indent += 1
            found = " or ".join(f"({self._candidate(source, scope, 'external_id')})" for source in sources)
            self._line("line = None")
            self._line(f"line = {found}")
            self._line("if line is None:")
            self._line("    line = f'?{len(lines) + 1}'")
            self._line(f"    missing(problems, 'lines.external_id', {self._where(sources, scope)!r}, line)")
            inner = msgspec.structs.replace(scope, lets=self._lets(record.let, scope, "lines.let"))
            fields = {name: record.fields[name] for name in record.fields if name != "external_id"}
            self._line(f"lines.append(OrderLine(external_id=line, {self._built(fields, inner, OrderLine)}))")
            self.indent -= 1
        # A body without lines is a part of the order: taken for the whole, it would cancel all of it.
        whole = " and ".join(f"not {self._raw(each, self.root)}" for each in record.each)
        self._line("if lines:")
        self._line("    tell_apart(lines, problems)")
        self._line(f"elif {whole}:")
        self._line(f"    missing(problems, 'lines', {', '.join(each.text for each in record.each)!r}, None)")

    def _amounts(self, name: str, spec: AmountsSpec) -> None:
        """A set is made of its views; the currency of a view comes first, its money is read in it."""
        field = "amounts" if name == "placed" else name
        self._line(f"amounts_{name} = None")
        self._line(f"if {self._condition(spec.when, self.root)}:")
        self.indent += 1
        views = (
            {"shop": spec.shop} if spec.presentment is None else {"shop": spec.shop, "presentment": spec.presentment}
        )
        for view, record in views.items():
            scope = msgspec.structs.replace(self.root, field=f"{field}.{view}.", currency=f"{view}_currency")
            fields = {key: record.fields[key] for key in record.fields if key != "currency"}
            if "currency" not in record.fields:
                raise MappingFault(f"amounts.{name}.{view}.currency", "is missing")
            self._line(f"{view} = None")
            self._line(f"if {self._condition(record.when, scope)}:")
            money = self._value("currency", record.fields["currency"], scope, Amounts)
            self._line(f"    {view}_currency = {money}")
            self._line(f"    {view} = Amounts(currency={view}_currency, {self._built(fields, scope, Amounts)})")
        total = "None"
        if spec.stated_total:
            scope = msgspec.structs.replace(self.root, field=f"{field}.", currency="shop_currency")
            total = self._chain("stated_total", spec.stated_total, scope)
        presentment = ", presentment=presentment" if spec.presentment is not None else ""
        self._line(f"amounts_{name} = AmountSet(shop=shop{presentment}, stated_total={total})")
        self.indent -= 1

    def _groups(self, records: Mapping[str, Record]) -> None:
        self._line("used = {row.group for row in lines}")
        self._line("made = []")
        for key, record in records.items():
            scope = msgspec.structs.replace(self.root, field=f"groups.{key}.")
            self._line(f"if {key!r} in used:")
            fields = self._built(record.fields, scope, DeliveryGroup)
            self._line(f"    made.append(dict(key={key!r}, {fields}))")
        places = {key: record.at.text for key, record in self.spec.contacts.items() if record.at is not None}
        self._line("cancelled = content.get('cancelled_at') is not None")
        self._line(f"groups = addressed(made, lines, contacts, {places!r}, cancelled, problems)")

    def _payments(self, record: Record | None) -> None:
        self._line("payments = ()")
        if record is None:
            return
        needed = [info.name for info in msgspec.structs.fields(Payment) if info.required]
        for name in needed:
            if name not in record.fields:
                raise MappingFault(f"payments.{name}", "is missing: a payment row needs it")
        self._line("rows = {}")
        for scope in self._rows(record, "payments."):
            scope = msgspec.structs.replace(scope, currency="payment_currency")
            self.indent += 1
            for name in ("currency", *(name for name in record.fields if name != "currency")):
                self._line(f"payment_{name} = {self._chain(name, record.fields[name], scope)}")
            self._line(f"if {' or '.join(f'payment_{name} is None' for name in needed)}:")
            self._line(
                f"    lacking(problems, {scope.prefix!r}, {{{', '.join(f'{n!r}: payment_{n}' for n in needed)}}})"
            )
            given = {info.name: info.default for info in msgspec.structs.fields(Payment) if not info.required}
            built = ", ".join(
                f"{name}=payment_{name}"
                if given.get(name) is None
                else f"{name}={given[name]!r} if payment_{name} is None else payment_{name}"
                for name in record.fields
            )
            self._line(
                f"elif payment_external_id not in rows:\n{'    ' * (self.indent + 1)}"
                f"rows[payment_external_id] = Payment({built})"
            )
            self.indent -= 1
        self._line("payments = tuple(rows.values())")

    # --- values -----------------------------------------------------------------------------------------------------

    def _built(self, fields: Fields, scope: Scope, target: type[msgspec.Struct]) -> str:
        """Keyword arguments, one per mapped field."""
        return "".join(f"{name}={self._value(name, sources, scope, target)}, " for name, sources in fields.items())

    def _value(self, name: str, sources: tuple[Source, ...], scope: Scope, target: type[msgspec.Struct]) -> str:
        """A field's expression, with what stands there when nothing readable does."""
        info = next(info for info in msgspec.structs.fields(target) if info.name == name)
        chain = self._chain(name, sources, scope)
        last = sources[-1]
        if not info.required and info.default is None and last.default is None and not last.required:
            return chain
        if all(source.type == "words" or source.total_of for source in sources):
            return chain
        found = self._fresh()
        if last.default is not None:
            canonical = msgspec.structs.replace(last, table=None)
            otherwise = self._converted(repr(last.default), canonical, scope, name, "")
        elif info.required or last.required:
            if info.required and last.type not in PLACEHOLDERS:
                raise MappingFault(
                    scope.field + name, f"a field that must hold something cannot be read as {last.type}"
                )
            place = PLACEHOLDERS.get(last.type, f"default_{target.__name__}_{name}")
            otherwise = (
                f"or_missing({place}, problems, {scope.field + name!r}, {self._where(sources, scope)!r}, {scope.line})"
            )
        else:
            otherwise = f"default_{target.__name__}_{name}"
        return f"({found} if ({found} := {chain}) is not None else {otherwise})"

    def _chain(self, name: str, sources: tuple[Source, ...], scope: Scope) -> str:
        """The first candidate that gives a value."""
        first, *rest = (self._candidate(source, scope, name) for source in sources)
        for other in rest:
            found = self._fresh()
            first = f"({found} if ({found} := {first}) is not None else {other})" if other != first else first
        return first

    def _candidate(self, source: Source, scope: Scope, name: str) -> str:
        if source.value is not None:
            return self._converted(repr(source.value), source, scope, name, "")
        if source.total_of is not None:
            if source.total_of not in ("subtotal", "discount", "tax"):
                raise MappingFault(scope.field + name, "total_of adds up a line's subtotal, discount or tax")
            return f"sum([row.{source.total_of} for row in lines])"
        where = ", ".join(self._place(path, scope) for path in source.paths)
        if source.call is None:
            return self._converted(self._raw(source.paths[0], scope), source, scope, name, where)
        arguments = "".join(f"{self._raw(path, scope)}, " for path in source.paths)
        called = f"call_{source.call}({arguments})"
        if not self.lean:
            kind = "bad_money" if source.type == "money" else "bad_value"
            notes = f"problems, {kind!r}, {scope.field + name!r}, {where!r}, {scope.line}"
            called = f"guarded(call_{source.call}, ({arguments}), {notes})"
        return self._converted(called, source, scope, name, where)

    def _converted(self, raw: str, source: Source, scope: Scope, name: str, where: str) -> str:
        """The typed reading of a raw expression."""
        notes = f"problems, {scope.field + name!r}, {where!r}, {scope.line}"
        if source.table is not None:
            raw = f"as_word({raw}, {notes}, {source.table!r}, {source.unmapped!r}, find)"
            if source.type == "text":
                return raw
        if source.type == "raw":
            return raw
        more = {"money": f", {scope.currency}", "country": ", find"}.get(source.type, "")
        quick = _QUICK.get(source.type)
        if quick is None:
            return f"as_{source.type}({raw}, {notes}{more})"
        held = self._fresh()
        return f"({quick.format(v=held, raw=raw)}as_{source.type}({held}, {notes}{more}))"

    def _rows(self, record: Record, field: str, line: str = "None") -> Iterator[Scope]:
        """Open a loop over each of the record's lists."""
        if not record.each:
            raise MappingFault(f"{field}each", "is missing: which list holds the rows")
        for each in record.each:
            scope = self._entered(each, field, "row", line)
            self._line(f"for row in {self._listed(each, scope, field)}:")
            if record.unless:
                self._line(f"    if {' or '.join(self._raw(path, scope) for path in record.unless)}:")
                self._line("        continue")
            yield scope

    def _listed(self, each: Path, scope: Scope, field: str) -> str:
        """The expression of a record's rows."""
        if self.lean and scope.node is not None:
            nested = any(many for _, many in each.steps[:-1])
            return f"flat({self._raw(each, self.root)})" if nested else f"{self._raw(each, self.root)} or ()"
        nested_in = each if each.root else msgspec.structs.replace(each, steps=through(each.steps))
        notes = f"problems, {field.removesuffix('.')!r}, {scope.prefix.removesuffix('.')!r}"
        return f"objects({self._raw(nested_in, self.root)}, {notes})"

    def _entered(self, path: Path, field: str, base: str, line: str = "None") -> Scope:
        """The scope of the object or rows at a path: structs, if the shape has structs all the way."""
        node = None if path.root else self.root.node
        for name, _ in path.steps:
            node = node.children[name] if node is not None else None
            node = node if node is not None and node.entered else None
        many = "[]" if base == "row" and path.steps else ""
        return Scope(base=base, node=node, prefix=f"{path.text}{many}.", field=field, line=line, lets=self.root.lets)

    def _lets(self, fields: Fields, scope: Scope, position: str) -> dict[str, str]:
        """Assign each let to a variable of its own; later ones may use earlier ones."""
        lets = dict(scope.lets)
        for name, sources in fields.items():
            variable = f"{position.replace('.', '_')}_{name}"
            within = msgspec.structs.replace(
                scope, lets=lets, field=f"{position}." if scope.field == "" else scope.field
            )
            self._line(f"{variable} = {self._chain(name, sources, within)}")
            lets[name] = variable
        return lets

    def _condition(self, path: Path | None, scope: Scope) -> str:
        return "True" if path is None else self._raw(path, scope)

    def _where(self, sources: tuple[Source, ...], scope: Scope) -> str:
        return " | ".join(self._place(path, scope) for source in sources for path in source.paths)

    def _place(self, path: Path, scope: Scope) -> str:
        """How problems name a path."""
        return path.text if path.root else scope.prefix + path.text

    def _line(self, text: str) -> None:
        self.out.append("    " * self.indent + text)


def defaults() -> dict[str, Any]:
    """What a field of a struct holds when the document says nothing, by the name the generated code uses."""
    found = {}
    for target in (OrderContent, OrderLine, DeliveryGroup, Contact, Amounts, Payment):
        for info in msgspec.structs.fields(target):
            if not info.required:
                found[f"default_{target.__name__}_{info.name}"] = info.default
    return found
