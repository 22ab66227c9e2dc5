"""The adapter for the National Crime Agency (United Kingdom), on a contract of our own for a mock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from adapters._double import Clock
from adapters._http import HttpClient, as_transport, checked_url
from adapters.nca import payload, rules, schema, settings
from adapters.nca.client import KEY_HEADER, NCAConnection
from adapters.nca.plan import plan_of
from adapters.nca.sandbox import MockEndpoint
from reporter.authority import Check, Endpoint, Environment, Package, Packaging, Plan
from reporter.cases.model import Case
from reporter.errors import ConfigurationError, Finding
from reporter.organisation import Organisation

#: Where the mock is served (our OpenAPI description, ``servers``).
SANDBOX = "http://127.0.0.1:8900/v0"
_OFFICIAL_DOMAINS = ("nationalcrimeagency.gov.uk", "nca.gov.uk", "police.uk")


class NCAAdapter:
    """Reports of CSEA content to the NCA (Online Safety Act 2023, s.66), as far as a mock of our own goes."""

    name = "nca"
    title = "NCA, by a contract of our own for a mock (not the NCA's API)"
    digests = frozenset[str]()
    setting_keys = settings.KEYS

    def endpoint_url(self, environment: Environment, base_url: str | None) -> str:
        """
        Give the base URL of the sandbox; there is no other.

        Raises:
            ConfigurationError: Test or production is asked for, or the URL is not a sandbox's.

        """
        if environment is not Environment.SANDBOX:
            raise ConfigurationError(
                f"There is no {environment} environment for the NCA: it gives its API on registration, and what is "
                "spoken here is a contract of our own, for the sandbox.",
                next_step='Set environment = "sandbox"; report by the NCA\'s portal (docs/authorities/nca.md).',
            )
        url = checked_url(base_url or SANDBOX)
        host = (urlsplit(url).hostname or "").rstrip(".")
        if any(host == domain or host.endswith(f".{domain}") for domain in _OFFICIAL_DOMAINS):
            raise ConfigurationError(
                "base_url is an official service, but what is spoken here is a contract of our own.",
                next_step=f"Remove base_url, or point it at a sandbox such as {SANDBOX}.",
            )
        return url

    def check(self, case: Case, packaging: Packaging) -> Check:
        """Hold the case against the contract and the duties that its schema cannot express."""
        return rules.check(case, packaging)

    def build(self, case: Case, packaging: Packaging) -> Package:
        """Build the report, ready or not; ``check`` says what is lacking."""
        return payload.build(case, packaging)

    def validate(self, package: Package, schema: bytes) -> Sequence[Finding]:
        """Hold the exact documents of a frozen package against the contract that is built in."""
        return rules.validate(package, schema)

    def plan(self, package: Package) -> Plan:
        """Give the calls that deliver this package, in the mode that it was approved in."""
        return plan_of(package)

    def connect(self, endpoint: Endpoint, transport: Any = None) -> NCAConnection:
        """
        Open a channel; one connection may be shared by threads. The key is the password, there is no user name.

        Raises:
            ConfigurationError: The endpoint is no sandbox, or the key cannot stand in a header.

        """
        self.endpoint_url(endpoint.environment, endpoint.base_url)
        key = endpoint.password.get_secret_value()
        if not (key.isascii() and key.isprintable()):
            raise ConfigurationError("The API key holds characters that no header can carry.")
        return NCAConnection(HttpClient(endpoint, as_transport(transport), key_header=KEY_HEADER))

    def examine(
        self, given: Mapping[str, Any], organisation: Organisation, today: date
    ) -> Iterator[tuple[str, str, str]]:
        """Say what holds of the registration, and whose contract this is."""
        yield "nca contract", "warn", f"{schema.VERSION}, our own for a mock: nothing reaches the NCA this way"
        registration, wrong = settings.read(given)
        if wrong:
            yield from (("nca settings", "fail", f"{finding.path}: {finding.message}") for finding in wrong)
            return
        yield from settings.examine(registration, organisation, today)

    def double(self, clock: Clock, faults: str = "", **behaviour: Any) -> MockEndpoint:
        """Give a mock endpoint of our own contract; ``faults`` is a fault script."""
        return MockEndpoint(clock, faults, **behaviour)
