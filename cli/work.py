"""``dienstweg work``."""

import signal
import threading
from types import FrameType
from typing import Annotated

import typer

from cli.state import State

app = typer.Typer()


@app.command()
def work(
    ctx: typer.Context,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="Do what is due now, then end.")] = False,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Jobs worked on at once.")] = 1,
) -> None:
    """Run the work loop: fire timers, send, receive. Ends on Ctrl-C or SIGTERM after running work is done."""
    from engine.service.work import held_jobs, run_forever, run_until_idle

    state: State = ctx.obj
    if until_idle:
        done = run_until_idle(state.app)
        typer.echo(f"{done.timers} timers, {done.jobs} jobs, {done.arrivals} arrivals")
    if held := held_jobs(state.app):
        typer.echo(
            f"{held} jobs are in another worker's hands; what a dead worker held is taken up within "
            f"{state.app.settings.stalled_after:g} seconds of its last sign of life"
        )
    if until_idle:
        return
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        state.app.queue.added.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    typer.echo(f"working on {state.folder}; end with Ctrl-C")
    run_forever(state.app, stop, concurrency)
