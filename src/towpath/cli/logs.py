"""Where the services' log goes: everything as JSON lines to a file, warnings to the terminal too."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog

MAX_BYTES = 20 * 1024 * 1024  # of a log file before it is rotated
KEPT = 5  # rotated files


def configure(file: Path | None, *, terminal: int = logging.WARNING) -> None:
    """Send the records of structlog and of ``logging`` to ``file``; from ``terminal`` on, to stderr too."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    for handler in list(root.handlers):
        root.removeHandler(handler)
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(terminal)
    screen.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.dev.ConsoleRenderer(
                    colors=sys.stderr.isatty(),
                    # The pretty one prints local variables, tokens among them.
                    exception_formatter=structlog.dev.plain_traceback,
                ),
            ],
        )
    )
    root.addHandler(screen)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = RotatingFileHandler(file, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8")
        lines.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=shared,
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    structlog.processors.JSONRenderer(),
                ],
            )
        )
        root.addHandler(lines)
    # aiosqlite and others tell every call at debug and info; what matters is warned of.
    for noisy in ("alembic", "aiosqlite", "zeep", "apprise", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
