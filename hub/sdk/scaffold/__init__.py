"""`crossdock adapter new NAME`: an adapter for an invented warehouse that keeps every rule; change it into yours."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

ENDING: Final = ".tmpl"
TABLES: Final = "tables.toml"


class ScaffoldFault(ValueError):
    """The name cannot be one, or its folder exists."""


def scaffold(name: str, folder: Path) -> list[Path]:
    """Write `adapters/<name>` and `mappings/<name>` into a folder; the files written. Raises `ScaffoldFault`."""
    if not name.isidentifier() or name != name.lower():
        raise ScaffoldFault(f"{name!r} is no name of a module: lower-case letters, digits and _ only")
    home = folder / "adapters" / name
    if home.exists():
        raise ScaffoldFault(f"{home} exists already")
    title = name.replace("_", " ").title()
    class_name = title.replace(" ", "")
    written = []
    for source, path in _templates(files(__package__) / "files", Path()):
        text = source.read_text("utf-8").replace("AcmeSimulator", f"{class_name}Simulator")
        text = text.replace("TestAcme", f"Test{class_name}").replace("Acme", title).replace("acme", name)
        target = folder / "mappings" / name / TABLES if path.name == TABLES else home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
        written.append(target)
    return written


def _templates(folder: Traversable, path: Path) -> list[tuple[Traversable, Path]]:
    found: list[tuple[Traversable, Path]] = []
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            found += _templates(entry, path / entry.name)
        elif entry.name.endswith(ENDING):
            found.append((entry, path / entry.name.removesuffix(ENDING)))
    return found
