"""An admin client that is of no use any more."""

from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException


class StuckAdmin:
    """An admin client as one was seen after brokers had come and gone: it finds no controller any more."""

    def describe_topics(self, _topics, **_):
        future = Future()
        future.set_exception(KafkaException(KafkaError(KafkaError._TIMED_OUT, "waiting for controller")))
        return {"any": future}
