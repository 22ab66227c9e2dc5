"""Where the adapter connects to, for each environment."""

from __future__ import annotations

import dataclasses

import pytest

from adapters.ncmec.adapter import NCMECAdapter
from reporter.authority import Endpoint, Environment
from reporter.errors import ConfigurationError
from tests.unit.ncmec_wire.support import endpoint

TEST = "https://exttest.cybertip.org/ispws"
PRODUCTION = "https://report.cybertip.org/ispws"


def url(environment: str, base_url: str | None) -> str:
    return NCMECAdapter().endpoint_url(Environment(environment), base_url)


def test_hosts_are_pinned() -> None:
    assert url("test", None) == url("test", TEST) == url("test", TEST + "/") == TEST
    assert url("production", None) == url("production", PRODUCTION) == PRODUCTION
    assert url("sandbox", None) == "http://127.0.0.1:8911/ispws"


@pytest.mark.parametrize(
    ("environment", "base_url"),
    [
        ("test", PRODUCTION),
        ("production", TEST),
        ("production", "https://report.cybertip.org.example/ispws"),
        ("production", "http://report.cybertip.org/ispws"),
        ("test", "http://127.0.0.1:8911/ispws"),
        ("sandbox", TEST),
        ("sandbox", PRODUCTION),
        ("sandbox", "https://REPORT.cybertip.org./ispws"),
        ("sandbox", "https://report.cybertip.org:8443/other"),
        ("sandbox", "http://sandbox.example/ispws"),
        ("sandbox", "http://192.0.2.1/ispws"),
        ("sandbox", "http://127.0.0.1.example/ispws"),
        ("sandbox", "ftp://127.0.0.1/ispws"),
        ("sandbox", "127.0.0.1:8911/ispws"),
        ("sandbox", "https://usr123:pswd456@sandbox.example/ispws"),
        ("sandbox", "https://sandbox.example/ispws?x=1"),
        ("sandbox", "https://[sandbox.example/ispws"),
        ("sandbox", "https://sandbox.example:99999/ispws"),
    ],
)
def test_url_of_another_environment_is_refused(environment: str, base_url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        url(environment, base_url)
    assert "base_url" in caught.value.message
    assert "pswd456" not in caught.value.diagnostics()


@pytest.mark.parametrize(
    "base_url",
    ["https://sandbox.example/ispws", "http://localhost:1/ispws", "http://[::1]:1/ispws", "http://127.9.9.9"],
)
def test_sandbox_may_stand_anywhere_safe(base_url: str) -> None:
    assert url("sandbox", base_url) == base_url


def test_connecting_holds_the_url_against_the_environment_again() -> None:
    sandbox: Endpoint = endpoint()
    with pytest.raises(ConfigurationError):
        NCMECAdapter().connect(dataclasses.replace(sandbox, environment=Environment.PRODUCTION))
    with pytest.raises(ConfigurationError):
        NCMECAdapter().connect(endpoint("http://sandbox.example/ispws"))
    with pytest.raises(ConfigurationError):
        NCMECAdapter().connect(endpoint(PRODUCTION))
