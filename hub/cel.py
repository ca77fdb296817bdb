"""The one importer of the CEL engine. Expressions are compiled once and evaluated over plain JSON values.

What the engine does, learned by running it: errors of evaluation come back as values, not exceptions; whole numbers
beyond 64 bits and decimals make every expression over their document fail, so callers pass them as text; an iteration
budget of 10,000 and a recursion cap of 32 end what does not end by itself.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

LONGEST_SOURCE: Final = 4096
"""Bytes of one expression."""

_PLACE: Final = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_REASON: Final = re.compile(r"[A-Z_]+: (.*)", re.DOTALL)


class ExpressionFault(Exception):
    """An expression that does not compile. `line` and `column` count from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"{line}:{column}: {message}")
        self.message = message
        self.line = line
        self.column = column


class EvaluationFailed(Exception):
    """An expression that has no value over this document."""


class Engine:
    """An environment of named variables, with the extensions for text, numbers, optionals and local bindings."""

    def __init__(self, *variables: str) -> None:
        # Imported here: the engine is 15 MB of native code that an install without overlays and rules never loads.
        from cel_expr_python import cel
        from cel_expr_python.ext import ext_bindings, ext_math, ext_optional, ext_strings

        self._error = cel.Type.ERROR
        self._environment: Any = cel.NewEnv(
            variables=dict.fromkeys(variables, cel.Type.DYN),
            extensions=[
                ext_strings.ExtStrings(),
                ext_math.ExtMath(),
                ext_optional.ExtOptional(),
                ext_bindings.ExtBindings(),
            ],
        )

    def compile(self, source: str) -> "Expression":
        """Compile; raises `ExpressionFault`."""
        if len(source.encode()) > LONGEST_SOURCE:
            raise ExpressionFault(f"is longer than {LONGEST_SOURCE} bytes")
        if "\0" in source:
            raise ExpressionFault("contains a NUL")
        try:
            compiled = self._environment.compile(source)
        except RuntimeError as fault:
            place = _PLACE.search(str(fault))
            if place is None:
                raise ExpressionFault(str(fault)) from None
            raise ExpressionFault(place[3], int(place[1]), int(place[2])) from None
        return Expression(source, compiled, self._error)

    def values(self, variables: Mapping[str, object]) -> Any:
        """Values of the variables, converted once for any number of expressions."""
        return self._environment.Activation(dict(variables))


class Expression:
    """A compiled expression."""

    def __init__(self, source: str, compiled: Any, error: Any) -> None:
        self.source = source
        self._compiled = compiled
        self._error = error

    @property
    def type(self) -> str:
        """What it gives as far as the compiler can tell: STRING, BOOL, INT, LIST<...>, DYN (anything), ..."""
        return str(self._compiled.return_type().name())

    def evaluate(self, values: Any) -> object:
        """Its value as plain Python. Raises `EvaluationFailed` with the engine's reason."""
        try:
            result = self._compiled.eval(values)
            value: object = result.plain_value()
            failed = result.type() == self._error
        except (RuntimeError, TypeError) as fault:
            raise EvaluationFailed(f"has no plain value ({str(fault).splitlines()[0]})") from None
        if failed:
            reason = _REASON.fullmatch(str(value))
            raise EvaluationFailed(reason[1] if reason else str(value))
        return value
