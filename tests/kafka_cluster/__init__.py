"""Three Kafka brokers as a platform team has them: TLS, users with SCRAM, rights, replicas."""

from tests.kafka_cluster.broker import Broker
from tests.kafka_cluster.cluster import OWNER, PASSWORD, Cluster, running_cluster
from tests.kafka_cluster.places import Place, on_loopback

__all__ = ["OWNER", "PASSWORD", "Broker", "Cluster", "Place", "on_loopback", "running_cluster"]
