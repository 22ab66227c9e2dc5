"""The transit provider under the contract of all, on a real OpenBao in memory; every test has a key of its own."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import trustme

from keycustody.errors import MissingKeyError, StorageError
from keycustody.transit import TransitKeyring
from reporter.testing.contract.keys import KeyProviderContract
from tests.conftest import BAO_TOKEN, Bao

CONTEXT = {"case": "TS-2026-000101", "use": "case-key"}


@pytest.fixture
def token(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text(BAO_TOKEN)
    (tmp_path / "token").chmod(0o600)
    return tmp_path / "token"


@pytest.fixture
def name() -> str:
    return f"key-{uuid4().hex[:12]}"


Open = Callable[..., TransitKeyring]


@pytest.fixture
def opened(token: Path, name: str) -> Iterator[Open]:
    """Give what opens the provider of this test, which is closed at its end."""
    made: list[TransitKeyring] = []

    def another(url: str, ca_file: Path | None = None) -> TransitKeyring:
        made.append(TransitKeyring(url, "transit", name, token, ca_file))
        return made[-1]

    yield another
    for each in made:
        each.close()


@pytest.fixture
def keyring(bao: Bao, opened: Open) -> TransitKeyring:
    keyring = opened(bao.url)
    keyring.create()
    return keyring


class TestTransitKeyring(KeyProviderContract):
    @pytest.fixture
    def open_provider(self, bao: Bao, opened: Open) -> Callable[[], TransitKeyring]:
        opened(bao.url).create()
        return lambda: opened(bao.url)


def test_an_existing_key_is_used(keyring: TransitKeyring) -> None:
    wrap = keyring.wrap(b"key", CONTEXT)
    keyring.create()
    assert keyring.unwrap(wrap, CONTEXT) == b"key"
    assert keyring.current_version == 1


@pytest.mark.parametrize(
    "kind", [{"type": "rsa-2048"}, {"exportable": True}, {"derived": True}, {"allow_plaintext_backup": True}]
)
def test_a_key_that_could_leave_or_binds_nothing_is_refused(
    bao: Bao, opened: Open, name: str, kind: dict[str, Any]
) -> None:
    bao.ask("POST", f"transit/keys/{name}", **kind)
    for use in (lambda: opened(bao.url).wrap(b"key", CONTEXT), lambda: opened(bao.url).create()):
        with pytest.raises(StorageError, match=f"not fit for custody: {next(iter(kind))} must be"):
            use()


def test_wrapping_makes_no_key_by_accident(bao: Bao, opened: Open, name: str) -> None:
    for use in (lambda: opened(bao.url).wrap(b"key", CONTEXT), opened(bao.url).rotate):
        with pytest.raises(MissingKeyError, match="has no key"):
            use()
    with pytest.raises(httpx.HTTPStatusError):
        bao.ask("GET", f"transit/keys/{name}")


def test_a_version_that_was_retired_is_missing_and_not_altered(bao: Bao, keyring: TransitKeyring, name: str) -> None:
    wrap = keyring.wrap(b"key", CONTEXT)
    keyring.rotate()
    bao.ask("POST", f"transit/keys/{name}/config", min_decryption_version=2)
    with pytest.raises(MissingKeyError):
        keyring.unwrap(wrap, CONTEXT)


def test_a_deleted_key_is_missing(bao: Bao, keyring: TransitKeyring, name: str) -> None:
    wrap = keyring.wrap(b"key", CONTEXT)
    bao.ask("POST", f"transit/keys/{name}/config", deletion_allowed=True)
    bao.ask("DELETE", f"transit/keys/{name}")
    with pytest.raises(MissingKeyError):
        keyring.unwrap(wrap, CONTEXT)


def test_a_renewed_token_is_taken_up_and_a_wrong_one_is_never_shown(keyring: TransitKeyring, token: Path) -> None:
    wrap = keyring.wrap(b"key", CONTEXT)
    token.write_text("expired-harmless-token")
    with pytest.raises(StorageError, match="refuses the token") as caught:
        keyring.unwrap(wrap, CONTEXT)
    assert "expired-harmless" not in str(caught.value)
    token.write_text(BAO_TOKEN)
    assert keyring.unwrap(wrap, CONTEXT) == b"key"


def test_a_token_limited_to_its_key_is_enough(bao: Bao, keyring: TransitKeyring, name: str, token: Path) -> None:
    rules = "".join(
        f'path "transit/{path}" {{ capabilities = ["{verb}"] }}\n'
        for path, verb in ((f"encrypt/{name}", "update"), (f"decrypt/{name}", "update"), (f"keys/{name}", "read"))
    )
    bao.ask("PUT", f"sys/policies/acl/{name}", policy=rules)
    limited = bao.ask("POST", "auth/token/create", policies=[name], no_default_policy=True)["auth"]["client_token"]
    token.write_text(limited)
    assert keyring.unwrap(keyring.wrap(b"key", CONTEXT), CONTEXT) == b"key"
    with pytest.raises(StorageError, match="its policy lacks"):
        keyring.rotate()


def test_a_server_that_is_away_sealed_or_talks_nonsense_is_trouble(opened: Open, keyring: TransitKeyring) -> None:
    wrap = keyring.wrap(b"key", CONTEXT)
    keyring.close()
    away = opened("http://127.0.0.1:1")
    for use in (lambda: away.wrap(b"key", CONTEXT), lambda: away.unwrap(wrap, CONTEXT), away.rotate, away.create):
        with pytest.raises(StorageError, match="cannot be reached"):
            use()
    for status, body in ((503, {"errors": ["sealed"]}), (200, {}), (200, {"data": None}), (307, {}), (429, {})):
        keyring._client = httpx.Client(
            base_url=keyring._client.base_url,
            transport=httpx.MockTransport(lambda _, status=status, body=body: httpx.Response(status, json=body)),
        )
        with pytest.raises(StorageError, match=f"HTTP {status}"):
            keyring.unwrap(wrap, CONTEXT)
    keyring._client = httpx.Client(
        base_url=keyring._client.base_url,
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json={"data": {"ciphertext": "vault:v0:?"}})),
    )
    for use in (lambda: keyring.unwrap(wrap, CONTEXT), lambda: keyring.wrap(b"", CONTEXT), keyring.rotate):
        with pytest.raises(StorageError, match="none of its answers"):
            use()


def test_a_server_whose_certificate_nobody_vouches_for_gets_no_token(tmp_path: Path, opened: Open) -> None:
    ours, theirs = trustme.CA(), trustme.CA()
    ours.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        got: list[bytes] = []

        def serve() -> None:
            peer, _ = listener.accept()
            with peer, suppress(OSError), context.wrap_socket(peer, server_side=True) as secured:
                got.append(secured.recv(4096))

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(StorageError, match="cannot be reached"):
            opened(f"https://127.0.0.1:{port}", tmp_path / "ca.pem").wrap(b"key", CONTEXT)
        thread.join()
    assert not any(got)
    with pytest.raises(StorageError, match=r"keys\.ca_file"):
        opened("https://127.0.0.1:1", tmp_path / "none.pem")
