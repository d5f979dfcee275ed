"""The commands: up, down, status, env."""

import json
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import click

from devstack import starting
from devstack.console import say
from devstack.errors import DevstackError, NotRunningError
from devstack.stack import Stack

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
_data = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), default=starting.DEFAULT_DATA, show_default=True,
    help="The stack's directory: settings, logs and data.",
)  # fmt: skip


@click.group(context_settings=_CONTEXT)
def root() -> None:
    """A real Apache Kafka and a real schema registry on this machine, without Docker; on 127.0.0.1 only.

    \b
    Examples:
      python -m devstack up --registry
      set -a; eval "$(python -m devstack env)"; set +a
      python -m devstack status
      python -m devstack down
    """


@root.command()
@click.option("--brokers", type=click.Choice(["1", "3"]), help="How many; 3 keep each record 3 times.  [default: 1]")
@click.option("--registry", is_flag=True, help="A schema registry too; a stack that has one keeps it.")
@click.option("--port", type=click.IntRange(0, 65_000), help="Of the first broker; 0 takes free ones.  [default: 9092]")
@click.option("--registry-port", type=click.IntRange(0, 65_535), help="0 takes a free one.  [default: 8081]")
@click.option("--fresh", is_flag=True, help="Delete the stack's data first.")
@_data
def up(
    *, brokers: str | None, registry: bool, port: int | None, registry_port: int | None, fresh: bool, data: Path
) -> None:
    """Start a stack, or what is down of it, and wait until it serves. Its data are kept from one up to the next.

    \b
    Examples:
      python -m devstack up
      python -m devstack up --brokers 3 --registry
      python -m devstack up --port 0 --data /tmp/scratch --fresh
    """
    began = time.monotonic()
    stack = starting.up(
        brokers=int(brokers) if brokers else None,
        registry=registry, port=port, registry_port=registry_port, data=data, fresh=fresh,
    )  # fmt: skip
    say(f"up in {time.monotonic() - began:.1f} s; stop it with: python -m devstack down{_option(data)}")
    _print_environment(stack)


@root.command()
@_data
def down(*, data: Path) -> None:
    """Stop the stack's own processes, and no other; the data stay.

    \b
    Examples:
      python -m devstack down
      python -m devstack down --data /tmp/scratch
    """
    stack = starting.find(data)
    was_up = stack is not None and stack.down()
    say(f"stopped the stack in {data}; its data stay" if was_up else f"nothing runs in {data}")


@root.command()
@_data
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def status(*, data: Path, output: str) -> int:
    """Show the stack's servers; ends with 3 unless all of them run.

    \b
    Examples:
      python -m devstack status
      python -m devstack status -o json
    """
    stack = starting.find(data)
    if stack is None:
        raise NotRunningError(data)
    servers = [_describe(server) for server in stack.servers]
    if output == "json":
        click.echo(json.dumps(servers, indent=2))
    else:
        _print_table(servers)
    return 0 if all(server["state"] == "up" for server in servers) else 3


@root.command()
@_data
def env(*, data: Path) -> None:
    """Print the running stack's addresses as NAME=value lines.

    \b
    Examples:
      set -a; eval "$(python -m devstack env)"; set +a
      env $(python -m devstack env) headrace status
    """
    _print_environment(starting.running(data))


def main(argv: list[str] | None = None) -> None:
    """Run a command and end the process with its exit code."""
    try:
        result = root.main(argv, prog_name="python -m devstack", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        say("stopped")
        sys.exit(1)
    except DevstackError as error:
        say(f"error: {error}")
        sys.exit(error.exit_code)
    sys.exit(result if isinstance(result, int) else 0)


def _print_environment(stack: Stack) -> None:
    click.echo(f"KAFKA_BOOTSTRAP_SERVERS={shlex.quote(stack.bootstrap_servers)}")
    if stack.registry_url:
        click.echo(f"SCHEMA_REGISTRY_URL={shlex.quote(stack.registry_url)}")


def _describe(server: Any) -> dict[str, Any]:
    process = server.process
    uptime_s, memory_bytes = process.usage() if process else (None, None)
    return {
        "server": server.name,
        "state": "up" if process else "down",
        "port": server.port,
        "pid": process.pid if process else None,
        "uptime_s": uptime_s,
        "memory_bytes": memory_bytes,
        "log": str(server.log),
    }


def _print_table(servers: list[dict[str, Any]]) -> None:
    click.echo(f"{'SERVER':<10} {'STATE':<6} {'PORT':>6} {'PID':>8} {'UP':>8} {'MEMORY':>8}  LOG")
    for server in servers:
        up_for = "-" if server["uptime_s"] is None else f"{server['uptime_s']:.0f} s"
        memory = "-" if server["memory_bytes"] is None else f"{server['memory_bytes'] / 1e6:.0f} MB"
        click.echo(
            f"{server['server']:<10} {server['state']:<6} {server['port']:>6} {server['pid'] or '-':>8} "
            f"{up_for:>8} {memory:>8}  {server['log']}"
        )


def _option(data: Path) -> str:
    return "" if data == starting.DEFAULT_DATA else f" --data {shlex.quote(str(data))}"
