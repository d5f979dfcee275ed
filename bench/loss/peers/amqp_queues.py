"""What a peer left in RabbitMQ, drained after its workers have ended; with pika or py-amqp, whichever the peer brings."""

import os


def drain(queues: list[str]) -> list[bytes]:
    """The bodies of all messages in these queues; a queue that does not exist holds none."""
    try:
        import pika  # noqa: F401
    except ImportError:
        return [body for queue in queues for body in _drain_with_amqp(queue)]
    return [body for queue in queues for body in _drain_with_pika(queue)]


def _drain_with_pika(queue: str) -> list[bytes]:
    import pika

    connection = pika.BlockingConnection(pika.URLParameters(os.environ["BENCH_BROKER"]))
    bodies: list[bytes] = []
    try:
        channel = connection.channel()
        while (found := channel.basic_get(queue, auto_ack=True))[0]:
            bodies.append(found[2])
    except pika.exceptions.ChannelClosedByBroker:  # no such queue
        pass
    finally:
        if connection.is_open:
            connection.close()
    return bodies


def _drain_with_amqp(queue: str) -> list[bytes]:
    import amqp

    host = os.environ["BENCH_BROKER"].split("@")[1].strip("/")
    bodies: list[bytes] = []
    with amqp.Connection(host=host) as connection:
        channel = connection.channel()
        try:
            while message := channel.basic_get(queue, no_ack=True):
                body = message.body
                bodies.append(body if isinstance(body, bytes) else body.encode())
        except amqp.exceptions.NotFound:
            pass
    return bodies
