"""The mail channel, against a relay on this machine."""

from __future__ import annotations

import base64
import email
import email.policy
import ssl

import pytest

from reporter.alarms.channels import MailChannel
from reporter.alarms.wire import Way
from reporter.errors import EnvironmentTroubleError
from tests.unit.alarms.notices import MARKER, NOTICE
from tests.unit.alarms.relay import Relay, running

TO = ("on-call@forum.example", "lead@forum.example")
SENDER = "reporter@forum.example"


def channel(relay: Relay, *, ca_file: str | None = None, username: str = "", host: str = "localhost") -> MailChannel:
    return MailChannel(
        TO, SENDER, host, relay.port, Way(ca_file=ca_file), username, lambda: MARKER, starttls=ca_file is not None
    )


def test_a_mail_says_it_all_in_plain_text() -> None:
    with running(Relay()) as relay:
        channel(relay).send(NOTICE)
    (text,) = relay.mails
    mail = email.message_from_string(text, policy=email.policy.default)
    assert (mail["From"], mail["To"]) == (SENDER, ", ".join(TO))
    assert mail["Subject"].startswith("in doubt: TEST-000001 (ncmec:sandbox)")
    body = mail.get_content()
    for word in ("Next: reporter delivery list", "environment: sandbox", "acknowledge: reporter alarm ack 3"):
        assert word in body
    assert [line[5:] for line in relay.told if line.upper().startswith("RCPT")] == [f"TO:<{address}>" for address in TO]


def test_login_and_mail_go_through_tls_only(server_tls: ssl.SSLContext, ca_file: str) -> None:
    with running(Relay(tls=server_tls)) as relay:
        channel(relay, ca_file=ca_file, username="robin").send(NOTICE)
    assert {"AUTH", "MAIL", "DATA"} <= set(relay.encrypted)
    (login,) = (line for line in relay.told if line.startswith("AUTH PLAIN"))
    assert base64.b64decode(login.split()[2]).decode() == f"\0robin\0{MARKER}"
    assert len(relay.mails) == 1


def test_a_relay_without_starttls_gets_neither_login_nor_mail(ca_file: str) -> None:
    with running(Relay()) as relay, pytest.raises(EnvironmentTroubleError, match="does not offer what is configured"):
        channel(relay, ca_file=ca_file, username="robin").send(NOTICE)
    assert [line.split()[0].upper() for line in relay.told] == ["EHLO"]


@pytest.mark.parametrize("trusted", [True, False])
def test_a_relay_is_verified(server_tls: ssl.SSLContext, ca_file: str, trusted: bool) -> None:
    """By its authority, and by its name."""
    with running(Relay(tls=server_tls)) as relay:
        way = Way(ca_file=ca_file) if trusted else Way()
        host = "127.0.0.1" if trusted else "localhost"
        with pytest.raises(EnvironmentTroubleError, match="certificate could not be verified"):
            MailChannel(TO, SENDER, host, relay.port, way, "robin", lambda: MARKER).send(NOTICE)
    assert (relay.mails, relay.encrypted) == ([], [])


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"RCPT": f"550 {MARKER}"}, "the relay refused all recipients"),
        ({"MAIL": f"451 {MARKER}"}, "the relay answered 451"),
        ({"DATA": f"554 {MARKER}"}, "the relay answered 554"),
        ({"MAIL": f"421 {MARKER}"}, "the relay answered 421"),
    ],
)
def test_a_refusal_is_told_by_its_code_and_never_in_its_words(answers: dict[str, str], says: str) -> None:
    with running(Relay(answers=answers)) as relay, pytest.raises(EnvironmentTroubleError) as trouble:
        channel(relay).send(NOTICE)
    assert str(trouble.value) == says
    assert relay.mails == []


def test_a_relay_that_is_closed() -> None:
    with running(Relay(greeting="554 not now")) as relay, pytest.raises(EnvironmentTroubleError, match="answered 554"):
        channel(relay).send(NOTICE)


def test_no_relay_there() -> None:
    with running(Relay()) as relay:
        pass
    with pytest.raises(EnvironmentTroubleError, match="the server refused the connection"):
        channel(relay).send(NOTICE)


def test_the_password_is_not_in_the_representation() -> None:
    assert MARKER not in repr(MailChannel(TO, SENDER, "h", 25, Way(), "robin", lambda: MARKER))
