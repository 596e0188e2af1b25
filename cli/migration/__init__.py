"""``dienstweg migration``: one module a matter, each bringing its commands."""

import typer

from cli.migration import readiness, register, status, steps, switch, volumes

app = typer.Typer(help="From post to electronic: register, status, switch.", no_args_is_help=True)
for module in (status, register, steps, volumes, readiness, switch):
    app.add_typer(module.app)
