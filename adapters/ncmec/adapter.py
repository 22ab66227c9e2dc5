"""The adapter for NCMEC's CyberTipline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from adapters._double import Clock
from adapters._http import HttpClient, as_transport, checked_url
from adapters.ncmec import payload, reading, rules
from adapters.ncmec.assumptions import Prober
from adapters.ncmec.client import NCMECConnection
from adapters.ncmec.plan import plan_of
from adapters.ncmec.sandbox import CyberTipline
from reporter.abilities import Observation
from reporter.authority import Check, Connection, Endpoint, Environment, Imported, Package, Packaging, Plan
from reporter.cases.model import Case
from reporter.errors import ConfigurationError, Finding
from reporter.organisation import Organisation

#: CyberTipline Reporting API Technical Documentation, section 2.
PINNED = {
    Environment.TEST: "https://exttest.cybertip.org/ispws",
    Environment.PRODUCTION: "https://report.cybertip.org/ispws",
}
SANDBOX = "http://127.0.0.1:8911/ispws"
_OFFICIAL_DOMAIN = "cybertip.org"


class NCMECAdapter:
    """Reports to the CyberTipline (18 U.S.C. 2258A)."""

    name = "ncmec"
    title = "NCMEC CyberTipline"
    digests = frozenset({"md5"})
    setting_keys = frozenset({"industry_classification"})

    def endpoint_url(self, environment: Environment, base_url: str | None) -> str:
        """
        Give the base URL for that environment; the hosts of test and production cannot be changed.

        Raises:
            ConfigurationError: The configured URL does not belong to that environment.

        """
        if pinned := PINNED.get(environment):
            if base_url is not None and base_url.rstrip("/") != pinned:
                raise ConfigurationError(
                    f"base_url is not NCMEC's {environment} service, which is {pinned}.",
                    next_step='Remove base_url, or set environment = "sandbox".',
                )
            return pinned
        url = checked_url(base_url or SANDBOX)
        host = (urlsplit(url).hostname or "").rstrip(".")
        if host == _OFFICIAL_DOMAIN or host.endswith(f".{_OFFICIAL_DOMAIN}"):
            raise ConfigurationError(
                "base_url is NCMEC's own service, but the environment is the sandbox.",
                next_step='Set environment = "test" or "production", and remove base_url.',
            )
        return url

    def check(self, case: Case, packaging: Packaging) -> Check:
        """Hold the case against NCMEC's format, documented rules and (where fetched) own schema."""
        return rules.check(case, packaging)

    def build(self, case: Case, packaging: Packaging) -> Package:
        """Build the report and the details of each file, ready or not; ``check`` says what is lacking."""
        return payload.build(case, packaging)

    def validate(self, package: Package, schema: bytes) -> Sequence[Finding]:
        """Hold the exact documents of a frozen package against NCMEC's schema."""
        return rules.validate(package, schema)

    def plan(self, package: Package) -> Plan:
        """Give the calls that deliver this package."""
        return plan_of(package)

    def connect(self, endpoint: Endpoint, transport: Any = None) -> NCMECConnection:
        """
        Open a channel; one connection may be shared by threads.

        Raises:
            ConfigurationError: The endpoint's URL does not belong to its environment, or it has no user name.

        """
        self.endpoint_url(endpoint.environment, endpoint.base_url)
        if not endpoint.username:
            raise ConfigurationError("username and password are needed to connect.")
        return NCMECConnection(HttpClient(endpoint, as_transport(transport)))

    def read(self, documents: Sequence[bytes], reference: str, now: datetime, actor: str) -> Imported:
        """
        Read a ``<report>`` and its ``<fileDetails>`` into a case document.

        Raises:
            DocumentError: They are malformed, or hold what the case document cannot carry, named by element path.

        """
        return reading.read(documents, reference, now, actor)

    def probe_assumptions(self, connection: Connection, organisation: Organisation, now: datetime) -> list[Observation]:
        """
        Ask what this adapter assumes of NCMEC without a public record; never of the production system.

        Raises:
            AuthorityTroubleError: It cannot be asked.

        """
        return list(Prober(connection, organisation, now).observations())

    def double(self, clock: Clock, faults: str = "", **behaviour: Any) -> CyberTipline:
        """Give a CyberTipline of our own for the sandbox; ``faults`` is a fault script."""
        return CyberTipline(clock, faults, **behaviour)
