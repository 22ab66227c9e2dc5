"""Where an adapter lets itself be connected to, for each environment (law 9)."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from reporter.authority import Endpoint, Environment
from reporter.errors import ConfigurationError
from reporter.testing.clock import FakeClock
from reporter.testing.contract.subject import PASSWORD, USERNAME, AdapterSubject

_OFFICIAL = (Environment.TEST, Environment.PRODUCTION)


class EndpointContract(AdapterSubject):
    """Pinned hosts, and a sandbox that is nobody's service."""

    def pinned(self) -> dict[Environment, str]:
        """Give the authority's own addresses: test is not everywhere, production is, unless it is ``mocked``."""
        found = {}
        for environment in _OFFICIAL:
            try:
                found[environment] = self.adapter.endpoint_url(environment, None)
            except ConfigurationError:
                known = environment is Environment.TEST or self.mocked
                assert known, "the production service has no pinned address"
        return found

    def test_a_mocked_authority_has_no_official_environment(self) -> None:
        if self.mocked:
            assert self.pinned() == {}
            for environment in _OFFICIAL:
                self.refuses(environment, self.adapter.endpoint_url(Environment.SANDBOX, None))

    def refuses(self, environment: Environment, url: str) -> None:
        """Hold that neither configuration nor connection takes this URL, and that no password is repeated."""
        with pytest.raises(ConfigurationError) as caught:
            self.adapter.endpoint_url(environment, url)
        assert PASSWORD not in caught.value.diagnostics()
        endpoint = Endpoint(environment, url, USERNAME, SecretStr(PASSWORD))
        with pytest.raises(ConfigurationError):
            self.adapter.connect(endpoint, self.double(FakeClock()).transport())

    def test_official_addresses_are_https_and_differ(self) -> None:
        pinned = self.pinned()
        assert all(urlsplit(url).scheme == "https" for url in pinned.values())
        assert len({urlsplit(url).hostname for url in pinned.values()}) == len(pinned)

    def test_official_addresses_cannot_be_overridden(self) -> None:
        pinned = self.pinned()
        for environment, url in pinned.items():
            assert self.adapter.endpoint_url(environment, url) == url
            parts = urlsplit(url)
            others = {
                f"http://{parts.netloc}{parts.path}",
                f"https://{parts.hostname}.example{parts.path}",
                f"https://{parts.hostname}:8443{parts.path}",
                f"{url}/elsewhere",
                f"{parts.scheme}://{USERNAME}:{PASSWORD}@{parts.netloc}{parts.path}",
                "http://127.0.0.1:8911/",
                *(other for name, other in pinned.items() if name is not environment),
            }
            for other in others:
                self.refuses(environment, other)

    def test_the_sandbox_is_never_an_official_host(self) -> None:
        for url in self.pinned().values():
            parts = urlsplit(url)
            host = parts.hostname or ""
            for other in (url, f"{url}/", f"https://{host.upper()}.{parts.path}", f"https://{host}:8443/elsewhere"):
                self.refuses(Environment.SANDBOX, other)

    @pytest.mark.parametrize(
        "url",
        [
            "http://sandbox.example/",
            "http://192.0.2.1/",
            "http://127.0.0.1.example/",
            "http://localhost.example/",
            "ftp://127.0.0.1/",
            "127.0.0.1:8911",
            "https://",
            f"https://{USERNAME}:{PASSWORD}@sandbox.example/",
            "https://sandbox.example/?x=1",
            "https://[sandbox.example/",
            "https://sandbox.example:99999/",
        ],
    )
    def test_the_sandbox_is_reached_in_a_safe_way_only(self, url: str) -> None:
        self.refuses(Environment.SANDBOX, url)

    @pytest.mark.parametrize(
        "base", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://sandbox.example"]
    )
    def test_the_sandbox_may_stand_here_or_behind_tls(self, base: str) -> None:
        path = urlsplit(self.adapter.endpoint_url(Environment.SANDBOX, None)).path
        assert self.adapter.endpoint_url(Environment.SANDBOX, base + path) == base + path
