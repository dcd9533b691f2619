"""Prints each check result of [results].

Needs `pip install confluent-kafka`; run `python results.py BROKERS TOPIC`.
"""

import json
import sys

from confluent_kafka import Consumer

brokers, topic = sys.argv[1:]
consumer = Consumer(
    {"bootstrap.servers": brokers, "group.id": "results-python", "auto.offset.reset": "earliest"}
)
consumer.subscribe([topic])
while True:
    message = consumer.poll(1.0)
    if message is None:
        continue
    if message.error():
        print(message.error(), file=sys.stderr)
        continue
    # A control record has an empty value, hence no lines.
    for number, line in enumerate((message.value() or b"").split(b"\n")):
        if not line.strip():
            continue
        try:
            result = json.loads(line)
            print(result["target"], result["region"], result["status"], flush=True)
        except (ValueError, TypeError, LookupError) as error:
            place = f"{message.partition()}:{message.offset()} line {number}"
            print(f"{place}: {error!r}", file=sys.stderr, flush=True)
