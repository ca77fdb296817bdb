"""Where the simulated Amazon takes feeds in and tells of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from adapters.amazon.simulator_books import Books, Document, Feed
from adapters.amazon.simulator_documents import feed_document

Answer = tuple[int, object]


class FeedDesk:
    """Answers the calls of the Feeds API: status and document."""

    def __init__(self, books: Books, marketplaces: tuple[str, ...]) -> None:
        self._books = books
        self._marketplaces = marketplaces

    def place(self, body: bytes, base_url: str) -> Answer:
        """A place for a document."""
        document = self._books.put(msgspec.json.decode(body)["contentType"])
        return 201, {"feedDocumentId": document.id, "url": _address(document, base_url)}

    def create(self, body: bytes, now: datetime) -> Answer:
        """A job for a document that was uploaded."""
        wanted: dict[str, Any] = msgspec.json.decode(body)
        source = self._books.documents.get(wanted["inputFeedDocumentId"])
        if source is None or source.body is None:
            return 400, errors("InvalidInput", "the input document was not uploaded")
        identity = str(50_000_000_000 + self._books.number())
        self._books.feeds[identity] = Feed(id=identity, kind=wanted["feedType"], document=source.id, created=now)
        return 202, {"feedId": identity}

    def listed(self, query: Mapping[str, str]) -> Answer:
        """Jobs by kind, state and age."""
        kinds, states = query["feedTypes"].split(","), query.get("processingStatuses")
        since = datetime.fromisoformat(query["createdSince"]) if "createdSince" in query else None
        found = [
            feed
            for feed in self._books.feeds.values()
            if feed.kind in kinds
            and (states is None or feed.status in states.split(","))
            and (since is None or feed.created >= since)
        ]
        return 200, {"feeds": [feed_document(feed, self._marketplaces) for feed in found]}

    def feed(self, identity: str) -> Answer:
        """One job."""
        feed = self._books.feeds.get(identity)
        if feed is None:
            return 404, errors("NotFound", "no such feed")
        return 200, feed_document(feed, self._marketplaces)

    def document(self, identity: str, base_url: str) -> Answer:
        """Where a document can be fetched."""
        document = self._books.documents.get(identity)
        if document is None:
            return 404, errors("NotFound", "no such document")
        answer = {"feedDocumentId": document.id, "url": _address(document, base_url)}
        return 200, {**answer, "compressionAlgorithm": "GZIP"} if document.gzip else answer


def errors(code: str, message: str) -> dict[str, object]:
    """A body of one error."""
    return {"errors": [{"code": code, "message": message, "details": ""}]}


def _address(document: Document, base_url: str) -> str:
    return f"{base_url}/storage/{document.id}?X-Amz-Signature=simulated"
