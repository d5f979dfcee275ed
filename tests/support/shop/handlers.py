"""Handlers that do what the order wishes: the same wishes for every executor."""

import asyncio
import ctypes
import os
import random
import signal
import sys
import time
from pathlib import Path

from consumers.batch import Batch
from consumers.context import Context
from consumers.errors import Reject, Retry, Unavailable
from tests.support.shop.records import OrderConfirmed, OrderPlaced


def confirm(order: OrderPlaced, context: Context) -> OrderConfirmed | None:
    """The plain handler."""
    wish, _, detail = order.wish.partition(":")
    if wish == "slow":
        time.sleep(float(detail))
    elif wish == "hang":
        print(f"{order.order_id} hangs", file=sys.stderr, flush=True)  # a worker's log shows that it has begun
        time.sleep(3600)
    elif wish == "seize":
        ctypes.PyDLL(None).sleep(3600)  # which holds the interpreter's lock all the while
    elif wish == "memory":
        bytearray(int(detail) * 1024 * 1024)
    return _decided(order, context, wish, detail)


async def confirm_async(order: OrderPlaced, context: Context) -> OrderConfirmed | None:
    """The coroutine."""
    wish, _, detail = order.wish.partition(":")
    if wish == "cancelled":
        raise asyncio.CancelledError
    if wish == "slow":
        await asyncio.sleep(float(detail))
    elif wish == "hang":
        await asyncio.sleep(3600)
    elif wish == "block":
        time.sleep(float(detail))
    return _decided(order, context, wish, detail)


def confirm_all(orders: Batch, context: Context) -> list[OrderConfirmed]:
    """Of a batch."""
    return [OrderConfirmed(order_id=order_id) for order_id in orders.frame["order_id"]]


def refuse(order: OrderPlaced) -> None:
    """Asks for no context."""
    raise Reject(f"{order.order_id} is refused")


def ledger(order: OrderPlaced, context: Context) -> OrderConfirmed:
    """Writes each handling down, one appended line in a file: what was really done, whatever a process says later."""
    wish, _, detail = order.wish.partition(":")
    if wish == "slow":
        print(f"{order.order_id} begins", file=sys.stderr, flush=True)
        time.sleep(float(detail))
    end_process(wish, detail)
    line = f"{context.origin.partition} {context.origin.offset} {order.order_id} {order.sequence} {os.getpid()}\n"
    with Path(os.environ["SHOP_LEDGER"]).open("ab", buffering=0) as file:
        file.write(line.encode())
    return OrderConfirmed(order_id=order.order_id, sequence=order.sequence)


async def ledger_async(order: OrderPlaced, context: Context) -> OrderConfirmed:
    """The same as a coroutine."""
    await asyncio.sleep(0)
    return ledger(order, context)


def ledger_of_many(orders: Batch, context: Context) -> list[OrderConfirmed]:
    """The same for a batch."""
    for wish in orders.frame["wish"]:
        end_process(wish, "")
    lines = [
        f"{orders.partition} {offset} {order_id} 0 {os.getpid()}\n"
        for offset, order_id in zip(orders.offsets, orders.frame["order_id"], strict=True)
    ]
    with Path(os.environ["SHOP_LEDGER"]).open("ab", buffering=0) as file:
        file.write("".join(lines).encode())
    return [OrderConfirmed(order_id=order_id) for order_id in orders.frame["order_id"]]


def end_process(wish: str, detail: str) -> None:
    """What ends the process at once, as the handler's native code, or the kernel short of memory, would."""
    if wish == "segfault":
        ctypes.string_at(0)
    elif wish == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif wish == "die":
        os._exit(int(detail or 9))


def _decided(order: OrderPlaced, context: Context, wish: str, detail: str) -> OrderConfirmed | None:
    end_process(wish, detail)
    if wish == "reject":
        raise Reject(detail or "no such article")
    if wish == "retry":
        raise Retry("the till is busy", after_s=float(detail or 0))
    if wish == "down":
        raise Unavailable("warehouse", "no answer")
    if wish in {"needs", "wired"} and not Path(detail).exists():
        raise Unavailable("warehouse", "it is closed") if wish == "needs" else ConnectionResetError("the line is cut")
    if wish == "bug":
        raise KeyError(detail or "article")
    if wish == "exit":
        raise SystemExit(0)
    if wish == "until" and context.attempt < int(detail):
        raise KeyError(f"attempt {context.attempt}")
    if wish == "tell":
        return OrderConfirmed(order_id=order.order_id, padding="a replay" if context.replay else "live")
    if wish == "nothing":
        return None
    padding = random.Random(1).randbytes(int(detail) // 2).hex() if wish == "large" else ""
    return OrderConfirmed(order_id=order.order_id, sequence=order.sequence, padding=padding)
