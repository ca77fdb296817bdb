"""What a person is answered who asks for what cannot be done any more."""


class CannotDo(Exception):
    """The order is past the point. The text says what and what to do instead."""
