"""Reading back what stands in a topic."""

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition


def read_all(bootstrap_servers: str, topic: str) -> list[Message]:
    """Every record of a topic; those of one partition in their order."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "reads-only",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 20,
        }
    )
    found: list[Message] = []
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        unfinished = set(partitions)
        while unfinished:
            first = consumer.poll(0.2)  # `consume` alone would wait for all that it was asked for
            for message in [first, *consumer.consume(1000, 0)] if first is not None else ():
                if message.error() is None:
                    found.append(message)
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    unfinished.discard(message.partition())
                else:
                    raise RuntimeError(message.error())
    finally:
        consumer.close()
    return found
