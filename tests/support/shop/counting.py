"""An exact batch agent of the shop: counts orders, in the same transaction as its offsets."""

import os
import time
from pathlib import Path

import sqlalchemy as sa

from consumers.batch import Batch
from consumers.context import Context
from consumers.database import source_of
from consumers.errors import Reject, RejectSome, Unavailable
from tests.support.shop.handlers import end_process

metadata = sa.MetaData()
seen = sa.Table(
    "seen_orders",
    metadata,
    sa.Column("source_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("offset", sa.BigInteger, primary_key=True),
    sa.Column("order_id", sa.Text),
)
ticks = sa.Table("seen_ticks", metadata, sa.Column("number", sa.Integer, primary_key=True))


def count(orders: Batch, context: Context) -> None:
    """Write each order down; a second writing of one would break the primary key."""
    connection = context.connection
    metadata.create_all(connection)
    wishes = orders.frame["wish"].to_list()
    for wish in wishes:
        end_process(wish, "")
        if wish == "reject":
            raise Reject("a poison order")
        if wish == "bug":
            raise KeyError("article")
        if wish == "down":
            raise Unavailable("warehouse", "no answer")
        if wish == "hang":
            time.sleep(3600)
        if wish.startswith("slow:") and context.attempt == 1:
            time.sleep(float(wish[5:]))
    named = {
        offset: "named poison" for offset, wish in zip(orders.offsets, wishes, strict=True) if wish == "reject-named"
    }
    if named:
        raise RejectSome(named)
    rows = [
        {"source_id": source_of(connection).id, "offset": offset, "order_id": order_id}
        for offset, order_id in zip(orders.offsets, orders.frame["order_id"].to_list(), strict=True)
    ]
    connection.execute(sa.insert(seen), rows)


def count_after_a_hang(orders: Batch, context: Context) -> None:
    """Write the orders down; the first process that does so hangs within its transaction, and so does no later one."""
    count(orders, context)
    hung = Path(os.environ["SHOP_HUNG"])
    if not hung.exists():
        hung.touch()
        time.sleep(3600)


def tick(context: Context) -> None:
    """What time brings: a row of its own each time."""
    metadata.create_all(context.connection)
    context.connection.execute(sa.insert(ticks), [{}])
