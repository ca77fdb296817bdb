"""The shape of a document as far as a mapping reads it, so that decoding skips the rest.

Every path of a mapping adds to the tree; `structs` turns it into structs whose leaves are untyped. A document of
another shape (an object where a list belongs) does not decode into them and is read with care instead, as dicts.
"""

from keyword import iskeyword
from typing import Any

import msgspec

from hub.mapping.errors import MappingFault
from hub.mapping.spec import Steps


class Node:
    """One key of the document: entered as an object, gone through as a list, or taken whole."""

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.many: bool | None = None
        self.whole = False

    @property
    def entered(self) -> bool:
        """Whether it becomes a struct, or a list of one."""
        return bool(self.children) and not self.whole

    def add(self, steps: Steps, position: str) -> None:
        """Note that a path leads through here to a value."""
        node = self
        for number, (name, many) in enumerate(steps):
            node = node.children.setdefault(name, Node())
            if number == len(steps) - 1:
                node.whole = True
            elif node.many not in (None, many):
                raise MappingFault(position, f"{name} is a list in one path and an object in another")
            else:
                node.many = many

    def enter(self, steps: Steps, position: str) -> None:
        """Note that rows or an object are read here, field by field."""
        node = self
        for name, many in steps:
            node = node.children.setdefault(name, Node())
            if node.many not in (None, many):
                raise MappingFault(position, f"{name} is a list in one path and an object in another")
            node.many = many

    def at(self, steps: Steps) -> "Node":
        """The node at the end of a path."""
        node = self
        for name, _ in steps:
            node = node.children[name]
        return node


def attribute(name: str) -> str:
    """The attribute under which a struct of the shape holds a key."""
    if name.isidentifier() and not iskeyword(name) and not name.startswith("_"):
        return name
    return f"key_{name.encode().hex()}"


def structs(node: Node, name: str = "Document") -> type[msgspec.Struct]:
    """Build the struct of a node, and of those below it."""
    fields: list[tuple[str, Any, Any]] = []
    renamed = {}
    for key, child in node.children.items():
        held: Any = Any
        if child.entered:
            inner = structs(child, f"{name}_{attribute(key)}")
            held = list[inner] | None if child.many else inner | None  # type: ignore[valid-type]
        fields.append((attribute(key), held, None))
        renamed[attribute(key)] = key
    return msgspec.defstruct(name, fields, rename=renamed, gc=False)
