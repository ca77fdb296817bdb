"""Every operation of the OpenAPI document, with whatever the document allows: answers are those it promises."""

import warnings
from collections import Counter
from typing import Any, Final

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.schemas import OpenApiSchema

LOADED: Final = OpenApiSchema
"""Loaded here: it is imported late otherwise, in a thread, which Python 3.11 does not always survive (gh-106905)."""

CHECKED: Final = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
"""What an answer is held to. Not among them: what the document does not say, such as which methods a path lacks."""

KEPT_OUT: Final = ("/test", "/pull", "/oauth")
"""Ends of paths that call a vendor: there is none here."""


def probe(url: str, token: str, examples: int, seed: int = 1) -> Counter[str]:
    """Call every operation so many times; answers by operation. Blocks. Raises what a check found wrong, all of it."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    called: Counter[str] = Counter()
    wrong: list[Exception] = []
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if operation.path.endswith(KEPT_OUT):
            continue
        try:
            _probe_one(operation, token, examples, seed, called)
        except (AssertionError, BaseExceptionGroup) as error:
            wrong.append(AssertionError(f"{operation.label}: {error}"))
    if wrong:
        raise ExceptionGroup(f"{len(wrong)} of {len(called)} operations answer what they do not promise", wrong)
    return called


def _probe_one(operation: Any, token: str, examples: int, seed: int, called: Counter[str]) -> None:
    @hypothesis.seed(seed)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def call(case: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = case.call(headers={"Authorization": f"Bearer {token}"})
            called[operation.label] += 1
            case.validate_response(answer, checks=CHECKED)

    call()
