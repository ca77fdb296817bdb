"""Reads a stored body as the hub does: by the topic's function or mapping file, under the shipped code tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import hub
from hub.mapping import errors as mapping_errors
from hub.mapping.compile import compile_mapping
from hub.mapping.tables import CodeTables, load_tables
from hub.sdk import translate
from hub.sdk.adapter import Message
from hub.sdk.testkit.bench import Broken
from hub.sdk.testkit.harness import AnyHarness

MALFORMED: Final = (translate.Malformed, mapping_errors.Malformed)
UNMAPPED: Final = (translate.Unmapped, mapping_errors.Unmapped)

SHIPPED: Final = Path(hub.__file__).parent.parent / "mappings"


def read(harness: AnyHarness, topic: str, body: bytes) -> Sequence[Message]:
    """Translate a body. Raises what the translation raises."""
    adapter = harness.adapter
    declared = adapter.topics[topic]
    tables = tables_of(harness)
    if declared.translate is not None:
        return declared.translate(body, tables)
    if declared.mapping is None:
        raise Broken(f"topic {topic} is neither translated nor mapped")
    file = folder_of(harness) / f"{declared.mapping}.toml"
    if not file.is_file():
        raise Broken(f"topic {topic} is read by {file.name}, which is not in {file.parent.name}/")
    return (compile_mapping(file.read_text("utf-8"), adapter.functions, tables)(body),)


def tables_of(harness: AnyHarness) -> CodeTables:
    """The harness's code tables, else those shipped with the adapter, else none."""
    given: Mapping[str, Mapping[str, str]] | None = harness.tables
    if given is None:
        shipped = folder_of(harness) / "tables.toml"
        given = load_tables(shipped.read_text("utf-8")) if shipped.exists() else {}
    return CodeTables(given)


def folder_of(harness: AnyHarness) -> Path:
    """Where the adapter's mapping files and code tables lie."""
    return harness.mappings or SHIPPED / harness.adapter.name
