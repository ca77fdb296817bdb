"""One database URL in the settings, two drivers that spell it differently."""


def sqlalchemy_url(database_url: str) -> str:
    """The URL with SQLAlchemy's asyncpg dialect."""
    for scheme in ("postgresql://", "postgres://"):
        if database_url.startswith(scheme):
            return "postgresql+asyncpg://" + database_url.removeprefix(scheme)
    return database_url


def asyncpg_url(database_url: str) -> str:
    """The URL as asyncpg wants it."""
    return database_url.replace("postgresql+asyncpg://", "postgresql://")
