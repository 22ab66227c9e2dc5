"""``reporter sandbox``: the built-in double of an authority, over HTTP on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reporter.cli.output import AsJson, print_json, say


def register(app: typer.Typer) -> None:
    """Add the command of this module to the root."""
    app.command()(sandbox)


def sandbox(
    authority: Annotated[str, typer.Argument(help="Which authority to imitate.")] = "ncmec",
    host: Annotated[str, typer.Option(help="Loopback address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8911,
    username: Annotated[str | None, typer.Option(help="What clients must log in as; by default usr123.")] = None,
    password: Annotated[str | None, typer.Option(help="And with; by default pswd456.")] = None,
    certificate: Annotated[
        Path | None, typer.Option(metavar="PEM", help="Serve https with this certificate, which goes with --key.")
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="PEM", help="The certificate's key.")] = None,
    faults: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="A fault script; see docs/reference/sandbox.md."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    Serve the double until Ctrl-C; nothing sent to it goes anywhere.

    Example: reporter sandbox --port 8911
    """
    from reporter.bootstrap import find_adapters
    from reporter.clock import SystemClock
    from reporter.errors import NotFoundError, UsageError
    from reporter.sandbox.server import serve_forever

    adapters = find_adapters()
    if authority not in adapters:
        raise NotFoundError(f"There is no adapter {authority} (installed: {', '.join(sorted(adapters))}).")
    if bool(certificate) != bool(key):
        raise UsageError("--certificate and --key go together.")
    script = faults.read_text(encoding="utf-8", errors="replace") if faults else ""
    chosen = {name: value for name, value in (("username", username), ("password", password)) if value is not None}
    double = adapters[authority].double(SystemClock(), script, **chosen)
    tls = (str(certificate), str(key)) if certificate and key else None

    def ready(url: str) -> None:
        if as_json:
            print_json({"authority": authority, "url": url})
        else:
            say(f"{authority} sandbox at {url}. Ctrl-C stops.")

    serve_forever(double, host, port, ready, tls)
