"""Kafka: clients, topics, and the follower of a compacted topic."""

from foundation.kafka.authorized import RightsError
from foundation.kafka.clients import admin, client_options, consumer, producer
from foundation.kafka.closing import CLOSE_S, abandon, leave, started, vital_tasks
from foundation.kafka.commits import Commit, commits
from foundation.kafka.follower import Follower
from foundation.kafka.gzip_level import install as _set_gzip_level
from foundation.kafka.header_names import install as _read_odd_header_names
from foundation.kafka.ready import topics_ready
from foundation.kafka.rights_watch import RightsWatch
from foundation.kafka.running_roles import VersionOrderError, in_order
from foundation.kafka.topics import (
    TopicMismatchError,
    check_topics,
    create_topics,
    lone_copies,
)

__all__ = [
    "CLOSE_S",
    "Commit",
    "Follower",
    "RightsError",
    "RightsWatch",
    "TopicMismatchError",
    "VersionOrderError",
    "abandon",
    "admin",
    "check_topics",
    "client_options",
    "commits",
    "consumer",
    "create_topics",
    "in_order",
    "leave",
    "lone_copies",
    "producer",
    "started",
    "topics_ready",
    "vital_tasks",
]

_read_odd_header_names()
_set_gzip_level()
