"""Find adapters: by scanning `adapters/` here, by the entry point `crossdock.adapters` elsewhere."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from importlib.resources import files

import structlog

import adapters
from hub.sdk.adapter import SDK_VERSION, Adapter

log = structlog.get_logger(__name__)

ENTRY_POINT = "crossdock.adapters"


class BrokenAdapter(Exception):
    """An adapter that cannot be used; the others can."""


def find_adapters() -> Mapping[str, Adapter]:
    """All usable adapters by name. A broken one is reported and left out, never fatal."""
    found: dict[str, Adapter] = {}
    for name, reference in references().items():
        try:
            found[name] = load_adapter(name, reference)
        except BrokenAdapter as error:
            log.error("adapter.broken", adapter=name, reason=str(error))
    return found


def references() -> Mapping[str, str]:
    """Where each adapter is said to be: name -> "module:attribute"."""
    scanned = sorted(module.name for module in pkgutil.iter_modules(adapters.__path__) if module.ispkg)
    return {name: f"adapters.{name}.adapter:ADAPTER" for name in scanned} | dict(_outside())


@cache
def _outside() -> Mapping[str, str]:
    """What is installed does not change while a process runs, and reading it takes 20 ms."""
    return {point.name: point.value for point in entry_points(group=ENTRY_POINT)}


def load_adapter(name: str, reference: str) -> Adapter:
    """Load `module:attribute`. Raises `BrokenAdapter` with the reason."""
    module_name, _, attribute = reference.partition(":")
    try:
        value = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError, SyntaxError, TypeError, ValueError) as error:
        raise BrokenAdapter(f"{reference}: {error}") from error
    if not isinstance(value, Adapter):
        raise BrokenAdapter(f"{reference} is not an Adapter")
    if value.name != name:
        raise BrokenAdapter(f"it calls itself {value.name!r} but is found as {name!r}")
    if value.sdk != SDK_VERSION:
        raise BrokenAdapter(f"it was written for SDK {value.sdk}, this hub has {SDK_VERSION}")
    return value


def mapping_text(vendor: str, name: str) -> str | None:
    """Text of `mappings/<vendor>/<name>.toml`; None when there is no such file."""
    path = files("mappings") / vendor / f"{name}.toml"
    return path.read_text("utf-8") if path.is_file() else None


def rule_text(kind: str, name: str) -> str:
    """Text of `rules/<kind>/<name>.toml`, a shipped policy."""
    return (files("rules") / kind / f"{name}.toml").read_text("utf-8")
