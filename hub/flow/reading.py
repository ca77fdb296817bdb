"""Compile how one connection's messages are read: the adapter's mapping files and tables under the merchant's own."""

from collections.abc import Callable, Mapping, Sequence

from hub.flow.directory import Reader
from hub.mapping.compile import compile_mapping
from hub.mapping.errors import Unmapped
from hub.mapping.overlay import Overlay
from hub.mapping.tables import CodeTables, Layered, Tables, load_tables
from hub.sdk.adapter import Adapter, Message

Words = Mapping[str, Mapping[str, str]]
"""Code tables: table -> word -> canonical."""

Text = Callable[[str, str], str | None]
"""Text of a shipped mapping file by (vendor, name)."""


def compile_reader(adapter: Adapter, text: Text, *, overlay: Overlay | None, own: Words) -> Reader:
    """Everything needed to read one connection's stored bodies, compiled once.

    Raises `hub.mapping.errors.MappingFault` when a shipped file or the overlay does not compile.
    """
    shipped = load_tables(text(adapter.name, "tables") or "")
    layers: Tables = CodeTables(dict(own), shipped)
    mappings = {}
    for name in {topic.mapping for topic in adapter.topics.values() if topic.mapping}:
        source = text(adapter.name, name)
        if source is None:
            raise FileNotFoundError(f"mappings/{adapter.name}/{name}.toml is not there")
        mappings[name] = compile_mapping(source, adapter.functions, layers, overlay)
    if overlay is not None:
        layers = Layered(overlay.tables, layers)

    def read(topic: str, body: bytes) -> Sequence[Message]:
        declared = adapter.topics.get(topic)
        if declared is None:
            raise Unmapped("topic", topic)
        if declared.mapping is not None:
            return (mappings[declared.mapping](body),)
        if declared.translate is not None:
            return declared.translate(body, layers)
        return ()

    return read
