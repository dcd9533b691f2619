"""Kafka: clients, topics, and the follower of a compacted topic."""

from portquorum.kafka.clients import admin, client_options, consumer, producer
from portquorum.kafka.closing import abandon, leave, vital_tasks
from portquorum.kafka.commits import Commit, commits
from portquorum.kafka.follower import Follower
from portquorum.kafka.header_names import install as _read_odd_header_names
from portquorum.kafka.ready import topics_ready
from portquorum.kafka.topics import TopicMismatchError, check_topics, create_topics

__all__ = [
    "Commit",
    "Follower",
    "TopicMismatchError",
    "abandon",
    "admin",
    "check_topics",
    "client_options",
    "commits",
    "consumer",
    "create_topics",
    "leave",
    "producer",
    "topics_ready",
    "vital_tasks",
]

_read_odd_header_names()
