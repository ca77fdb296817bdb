"""The cost terms. Each is one file here with a `TERM`; a file that is added is a term that is known."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from hub.routing.terms.term import Term


def find_terms() -> tuple[Term, ...]:
    """Every term of this package."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__) if found.name != "term")
    return tuple(module.TERM for module in modules)


TERMS: Final[tuple[Term, ...]] = find_terms()
"""By their files' names."""
