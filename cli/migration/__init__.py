"""``dienstweg migration``: one module a matter, each bringing its commands."""

import typer

from cli.migration import ledger, readiness, register, shadow, status, steps, switch, volumes

app = typer.Typer(
    help="From post to electronic: status, register, readiness, switch, shadow, ledger.", no_args_is_help=True
)
for module in (status, ledger, register, steps, volumes, readiness, switch, shadow):
    app.add_typer(module.app)
