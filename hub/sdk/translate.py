"""What `translate.py` of an adapter may use: code tables, and the errors that park a message with a reason."""

from hub.mapping.errors import Malformed, Unmapped
from hub.mapping.tables import Tables

__all__ = ["Malformed", "Tables", "Unmapped"]
