from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic


async def test_a_message_goes_through_a_topic_made_on_purpose(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic("embedded.answers", 2, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True) as producer:
        await producer.send_and_wait("embedded.answers", b"value", key=b"key")
    async with AIOKafkaConsumer(
        "embedded.answers",
        bootstrap_servers=kafka,
        group_id="embedded-answers",
        auto_offset_reset="earliest",
        session_timeout_ms=6000,
    ) as consumer:
        message = await consumer.getone()
    assert (message.key, message.value) == (b"key", b"value")
