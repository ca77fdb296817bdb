"""How processes of the hub log: one JSON line an event on stderr, credentials and personal data masked."""

import logging
import sys
from typing import Final

import structlog
from structlog.typing import Processor

from hub.sdk.redaction import redact_event

STAMPED: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    # Without the values of local names: they are people's orders.
    structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
    redact_event,
)


def configure(level: str) -> None:
    """Set logging up for this process. Standard-library loggers are cut to warnings: some print URLs."""
    render = structlog.processors.JSONRenderer()
    others = logging.StreamHandler(sys.stderr)
    others.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *STAMPED],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[others], force=True)
    # It warns of every ring that came too late: a bell, never work.
    logging.getLogger("arq").setLevel(logging.ERROR)
    structlog.configure(
        processors=[*STAMPED, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
