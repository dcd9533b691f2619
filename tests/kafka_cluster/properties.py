"""The configuration of one broker of the cluster."""

from collections.abc import Sequence
from pathlib import Path

from tests.kafka_cluster.places import Place


def properties(
    number: int, places: Sequence[Place], pem: Path, trusted: Path, owner: str
) -> dict[str, str]:
    """What a platform team would write, with less memory and fewer threads.

    Args:
        number: of the broker, from 1; its place is `places[number - 1]`.
        places: of all.
        pem: the broker's key and certificates.
        trusted: the certificate authority's.
        owner: the user who may do anything.
    """
    place = places[number - 1]
    listeners = {
        "CLIENTS": place.clients,
        "CERTIFICATES": place.certificates,
        "BROKERS": place.brokers,
    }
    clients = ",".join(f"{name}://{address}" for name, address in listeners.items())
    voters = ",".join(f"{node}@{other.controller}" for node, other in enumerate(places, 1))
    ours = ";".join(f"User:broker-{node}" for node in range(1, len(places) + 1))
    tls = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(pem),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(trusted),
    }
    certificates = {
        f"listener.name.{name}.ssl.client.auth": "required"
        for name in ("certificates", "brokers", "controller")
    }
    return {
        "process.roles": "broker,controller",
        "node.id": str(number),
        "controller.quorum.voters": voters,
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{clients},CONTROLLER://{place.controller}",
        "advertised.listeners": clients,
        "listener.security.protocol.map": (
            "CLIENTS:SASL_SSL,CERTIFICATES:SSL,BROKERS:SSL,CONTROLLER:SSL"
        ),
        "inter.broker.listener.name": "BROKERS",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.clients.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        **tls,
        **certificates,
        "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{owner};{ours}",
        "log.dirs": "log",
        "default.replication.factor": "3",
        "min.insync.replicas": "2",
        "offsets.topic.replication.factor": "3",
        "transaction.state.log.replication.factor": "3",
        "transaction.state.log.min.isr": "2",
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "4",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "4",
        "num.recovery.threads.per.data.dir": "2",
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    }
