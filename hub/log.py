"""How processes of the hub log: one JSON line an event on stderr, credentials and personal data masked."""

import logging
import sys

import structlog

from hub.sdk.redaction import redact_event


def configure(level: str) -> None:
    """Set structlog up for this process. Standard-library loggers are cut to warnings: some print URLs."""
    numbers = logging.getLevelNamesMapping()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    # It warns of every ring that came too late: a bell, never work.
    logging.getLogger("arq").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            redact_event,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numbers[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
