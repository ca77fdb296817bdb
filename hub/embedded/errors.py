"""What can go wrong with the embedded engines, each as one line that says what to do."""


class EngineError(Exception):
    """An embedded engine cannot be started, reached or stopped; the message is one line for a person."""


class FolderInUse(EngineError):
    """Another process supervises the engines of this data folder."""
