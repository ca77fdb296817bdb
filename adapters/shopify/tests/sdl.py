"""The vendor's published schema as a judge: of documents, variables, answers and costs."""

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    get_named_type,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

CONTRACTS = Path(__file__).resolve().parents[3].parent / "shared" / "contracts" / "shopify"
VERSIONS = ("2026-04", "2026-07")
SDL = CONTRACTS / "admin-graphql-2026-04.trimmed.graphql"

# Named types that the recorded costs do not charge for.
FREE = frozenset({"MoneyBag", "MoneyV2", "PageInfo", "Attribute"})

SCALARS: Mapping[str, tuple[type, ...]] = {
    "Int": (int,),
    "Boolean": (bool,),
    "Float": (int, float, Decimal),
}
"""All other scalars are written as text."""


class Judge:
    """Of one document: holds its fragments and knows the schema."""

    def __init__(self, schema: GraphQLSchema, document: str) -> None:
        parsed = parse(document)
        self.schema = schema
        self.errors = [error.message for error in validate(schema, parsed)]
        nodes = parsed.definitions
        self.fragments = {node.name.value: node for node in nodes if isinstance(node, FragmentDefinitionNode)}
        (self.operation,) = (node for node in nodes if isinstance(node, OperationDefinitionNode))
        self.mutation = self.operation.operation.value == "mutation"
        self.root = schema.mutation_type if self.mutation else schema.query_type

    def variable_errors(self, variables: dict[str, Any]) -> list[str]:
        """What the schema has against the variables."""
        found = get_variable_values(self.schema, tuple(self.operation.variable_definitions or ()), variables)
        return [error.message for error in found] if isinstance(found, list) else []

    def answer_errors(self, data: object) -> list[str]:
        """What the schema has against an answer: missing, superfluous or mistyped fields."""
        return list(self._object(self.root, self.operation.selection_set, data, ""))

    def cost(self) -> int:
        """Requested cost by the rule that the vendor's recorded answers follow.

        An object costs 1; a connection 2 and its nodes times floor(2 ln n); a mutation 10, its payload nothing.
        """
        inner = self._cost(self.root, self.operation.selection_set, payload=self.mutation)
        return inner + 10 if self.mutation else inner

    def _fields(self, kind: Any, selections: SelectionSetNode) -> Iterator[tuple[Any, FieldNode]]:
        """Selected fields with the type they are selected on."""
        for node in selections.selections:
            if isinstance(node, FieldNode):
                yield kind, node
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.fragments[node.name.value]
                yield from self._fields(self._named(fragment), fragment.selection_set)
            else:
                yield from self._fields(self._named(node), node.selection_set)

    def _named(self, node: Any) -> Any:
        return self.schema.type_map[node.type_condition.name.value]

    def _object(self, kind: Any, selections: SelectionSetNode, value: object, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path} is not an object"
            return
        concrete = self._concrete(kind, value)
        seen = set()
        for on, field in self._fields(kind, selections):
            name = field.name.value
            if on is not concrete and on is not kind and concrete not in self.schema.get_possible_types(on):
                continue
            seen.add(name)
            if name == "__typename":
                continue
            if name not in value:
                yield f"{path}.{name} is missing"
                continue
            yield from self._value(on.fields[name].type, field.selection_set, value[name], f"{path}.{name}")
        yield from (f"{path}.{name} was not asked for" for name in value.keys() - seen)

    def _concrete(self, kind: Any, value: dict[str, Any]) -> Any:
        if isinstance(kind, GraphQLObjectType):
            return kind
        if "__typename" in value:
            return self.schema.type_map[value["__typename"]]
        return self.schema.type_map[value["id"].split("/")[3]] if "id" in value else kind

    def _value(self, kind: Any, selections: SelectionSetNode | None, value: object, path: str) -> Iterator[str]:
        if isinstance(kind, GraphQLNonNull):
            if value is None:
                yield f"{path} is null and may not be"
            else:
                yield from self._value(kind.of_type, selections, value, path)
        elif value is None:
            return
        elif isinstance(kind, GraphQLList):
            if not isinstance(value, list):
                yield f"{path} is not a list"
                return
            for place, inner in enumerate(value):
                yield from self._value(kind.of_type, selections, inner, f"{path}.{place}")
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            assert selections is not None
            yield from self._object(kind, selections, value, path)
        elif isinstance(kind, GraphQLEnumType):
            if value not in kind.values:
                yield f"{path}: {value!r} is no {kind.name}"
        elif not isinstance(value, SCALARS.get(kind.name, (str,))):
            yield f"{path}: {value!r} is no {kind.name}"

    def _cost(self, kind: Any, selections: SelectionSetNode, *, payload: bool = False) -> int:
        total = 0
        for on, field in self._fields(kind, selections):
            if field.selection_set is None:
                continue
            found = get_named_type(on.fields[field.name.value].type)
            if found.name.endswith("Connection"):
                total += self._connection(found, field)
            elif found.name not in FREE and "UserError" not in found.name:
                inner_payload = found.name.endswith("Payload")
                total += self._cost(found, field.selection_set, payload=inner_payload)
                total += 0 if inner_payload or payload else 1
        return total

    def _connection(self, kind: Any, field: FieldNode) -> int:
        (first,) = (
            int(argument.value.value)
            for argument in field.arguments or ()
            if argument.name.value == "first" and isinstance(argument.value, IntValueNode)
        )
        assert field.selection_set is not None
        (nodes,) = (node for _, node in self._fields(kind, field.selection_set) if node.name.value == "nodes")
        assert nodes.selection_set is not None
        each = 1 + self._cost(get_named_type(kind.fields["nodes"].type), nodes.selection_set)
        return 2 + max(1, math.floor(2 * math.log(first))) * each


def load(version: str) -> GraphQLSchema:
    """The schema of a version. Trimmed, so it is not validated itself."""
    text = (CONTRACTS / f"admin-graphql-{version}.trimmed.graphql").read_text("utf-8")
    return build_schema(text, assume_valid=True)
