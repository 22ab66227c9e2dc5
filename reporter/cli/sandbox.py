"""``reporter sandbox``: the built-in doubles of authorities, over HTTP on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from reporter.cli.output import AsJson, print_json, say


def register(app: typer.Typer) -> None:
    """Add the command of this module to the root."""
    app.command()(sandbox)


def sandbox(
    authorities: Annotated[
        list[str] | None, typer.Argument(metavar="[AUTHORITY]...", help="Whom to imitate; by default ncmec.")
    ] = None,
    host: Annotated[str, typer.Option(help="Loopback address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port to listen on, 0 for a free one; by default the adapter's own."),
    ] = None,
    username: Annotated[
        str | None, typer.Option(help="What clients must log in as; by default the documentation's.")
    ] = None,
    password: Annotated[str | None, typer.Option(help="And with, or with which API key.")] = None,
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
    switches: Annotated[
        bool, typer.Option("--switches", help="Let clients set the clock and the next answers (nca).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """
    Serve doubles until Ctrl-C; nothing sent to them goes anywhere.

    Example: reporter sandbox ncmec nca
    """
    from reporter.abilities import Handoff, machine
    from reporter.authority import Environment
    from reporter.bootstrap import find_adapters
    from reporter.clock import SystemClock
    from reporter.errors import NotFoundError, UsageError
    from reporter.sandbox.server import Served, serve_forever

    adapters, names = find_adapters(), list(dict.fromkeys(authorities or ["ncmec"]))
    if unknown := [name for name in names if name not in adapters]:
        doubles = ", ".join(sorted(name for name, adapter in adapters.items() if not isinstance(adapter, Handoff)))
        raise NotFoundError(f"There is no adapter {unknown[0]} (installed: {doubles}).")
    if bool(certificate) != bool(key):
        raise UsageError("--certificate and --key go together.")
    chosen: dict[str, Any] = {n: value for n, value in (("username", username), ("password", password)) if value}
    if len(names) > 1 and (port is not None or chosen or faults):
        raise UsageError("--port, --username, --password and --faults go with one authority.")
    if switches:
        chosen["switches"] = True
    script = faults.read_text(encoding="utf-8", errors="replace") if faults else ""
    tls = (str(certificate), str(key)) if certificate and key else None
    served = []
    for name in names:
        adapter = machine(adapters[name])
        own = urlsplit(adapter.endpoint_url(Environment.SANDBOX, None)).port or 0
        try:
            double = adapter.double(SystemClock(), script, **chosen)
        except TypeError:
            if not switches:
                raise
            raise UsageError(f"The sandbox of {name} has no switches.") from None
        served.append(Served(name, double, own if port is None else port))

    def ready(name: str, url: str) -> None:
        if as_json:
            print_json({"authority": name, "url": url})
        else:
            say(f"{name} sandbox at {url}. Ctrl-C stops.")

    serve_forever(served, host, ready, tls)
