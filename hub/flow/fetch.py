"""Step 3b: a delivery that only names an object, or cannot be trusted, is read again from its source."""

from hub.flow.directory import Directory
from hub.flow.normalise import DIRECT_TOPIC, FACTS_TOPIC
from hub.flow.ports import Inbound
from hub.sdk.adapter import Adapter, Lane, Topic

OWN_TOPICS = {FACTS_TOPIC: Lane.FACTS.value, DIRECT_TOPIC: Lane.ORDERS.value}


def topic_of(directory: Directory, connection: str, topic: str) -> Topic | None:
    """What the adapter declares of a topic."""
    link = directory.links.get(connection)
    return link.adapter.topics.get(topic) if link else None


def lane_of(topic: Topic | None, mode_off: bool) -> str | None:
    """Lane of a delivery: none for what is kept without consequence, `fetch` for what must be read first.

    An undeclared topic goes with the facts, where it is parked with its name: unknown is a value.
    """
    if mode_off or (topic is not None and topic.ignore):
        return None
    if topic is None:
        return Lane.FACTS.value
    return Lane.FETCH.value if topic.thin else topic.lane.value


def lane_again(topic: str, adapter: Adapter | None) -> str:
    """Lane of a stored message that is taken along the path again, by its topic's name; None: the adapter is gone."""
    declared = adapter.topics.get(topic) if adapter else None
    return OWN_TOPICS.get(topic) or lane_of(declared, False) or Lane.ORDERS.value


def fetched_topic(inbound: Inbound, topic: Topic) -> str:
    """Topic under which the answer is stored."""
    return topic.fetched_as or inbound.topic
