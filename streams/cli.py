"""The command line: `headrace <noun> <verb>`. Commands are imported when they are called, so that help is fast."""

import importlib
import sys
from typing import Any

import click

from schemas.errors import HeadraceError

_COMMANDS = {
    "analytics": "streams.commands.analytics:command",
    "dlq": "streams.commands.dlq:command",
    "doctor": "streams.commands.doctor:command",
    "init": "streams.commands.init:command",
    "publish": "streams.commands.publish:command",
    "run": "streams.commands.run:command",
    "schema": "streams.commands.schema:command",
    "status": "streams.commands.status:command",
    "tail": "streams.commands.tail:command",
}
_SHORT_HELP = {
    "analytics": "Show activity by minute and kind.",
    "dlq": "Find dead letters, and send them to their agents again.",
    "doctor": "Check what a worker needs, with a remedy for each fault.",
    "init": "Create the topics and register the schemas.",
    "publish": "Publish JSON Lines to a topic.",
    "run": "Run one agent on a file, without a broker.",
    "schema": "Check and generate from the .avsc files.",
    "status": "Show agents, lag, rates and workers.",
    "tail": "Print the events of a topic.",
}
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class Commands(click.Group):
    """A group whose commands live in modules of their own."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The names, in the order of the help."""
        return sorted(_COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _SHORT_HELP[name]) for name in sorted(_COMMANDS)])


@click.group(cls=Commands, context_settings=CONTEXT)
@click.version_option(package_name="headrace", message="%(package)s %(version)s")
@click.option("-v", "--verbose", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def root(context: click.Context, *, verbose: bool) -> None:
    """Event streaming on Kafka: Avro events in, agents that never lose one, replay when you need it.

    \b
    Examples:
      headrace init
      headrace publish texts.posted texts.jsonl
      headrace tail texts.analyzed -n 5
      headrace status --watch
    """
    context.obj = {"verbose": verbose}


def main(argv: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run(root, argv))


def run(command: click.Command, argv: list[str] | None = None) -> int:
    """Run a command; a HeadraceError becomes its text on stderr and its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        result: Any = command.main(arguments, standalone_mode=False)
    except click.exceptions.Abort:
        return _say("stopped", 1)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except HeadraceError as error:
        if {"-v", "--verbose"} & set(arguments[:1]):
            raise
        return _say(str(error), error.exit_code)
    return result if isinstance(result, int) else 0


def _say(text: str, code: int) -> int:
    click.echo(click.style("error: ", fg="red") + text if code > 1 else text, err=True)
    return code


if __name__ == "__main__":
    main()
