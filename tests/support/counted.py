"""What the shop's counting agents have written down."""

import sqlalchemy as sa

from tests.support.shop.counting import seen


def counted_ids(database_url):
    """The ids of all counted orders, sorted; an order that was counted twice stands there twice."""
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        there = sa.inspect(connection).has_table(seen.name)
        ids = connection.execute(sa.select(seen.c.order_id)).scalars().all() if there else []
    engine.dispose()
    return sorted(ids)
