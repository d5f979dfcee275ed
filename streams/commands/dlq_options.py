"""Options that the commands of `headrace dlq` share."""

import click

query_option = click.option(
    "-q", "--query", metavar="QUERY",
    help="Which letters: 'agent:images error:Truncated since:@-1h key:… topic:… until:… state:open'; all terms must hold.",
)  # fmt: skip
catalogue_option = click.option(
    "--catalogue", metavar="MODULE", help="Your own topics and schemas, such as shop.agents (HEADRACE_CATALOGUE)."
)
ids_argument = click.argument("ids", metavar="[ID]...", nargs=-1)
all_option = click.option("--all", "every", is_flag=True, help="Every letter that is open.")
