"""``dienstweg migration``: one module a matter, each bringing its commands."""

import typer

from cli.migration import status, switch

app = typer.Typer(help="From post to electronic: status, switch, rules.", no_args_is_help=True)
for module in (status, switch):
    app.add_typer(module.app)
