"""An authority that is down, distrusted or says no, and the people who may and may not send to it."""

import datetime as dt
import socket
from pathlib import Path

import pytest
import trustme

from adapters.ncmec.sandbox import CyberTipline
from reporter.sandbox.server import serve
from reporter.testing.documents import write_case
from tests.e2e.support import URL_VARIABLE, Home, Run

REFERENCE = "TEST-000001"


@pytest.fixture
def approved(reporter: Run, tmp_path: Path) -> str:
    """Give the reference of a case that waits to be delivered."""
    case = write_case(tmp_path / "cases", REFERENCE, files={"e1": b"harmless one", "e2": b"harmless two"})
    assert reporter("case", "add", case, "--as", "ann").code == 0
    assert reporter("submission", "approve", REFERENCE, "--as", "bob").code == 0
    return REFERENCE


def state(reporter: Run) -> str:
    (submission,) = reporter("case", "show", REFERENCE, "--json").json["submissions"]
    return str(submission["state"])


def finished(double: CyberTipline) -> int:
    return sum(report.state == "finished" for report in double.reports.values())


# --- the way there ----------------------------------------------------------------------------------------------


def test_the_main_job_leaves_nothing_to_do(reporter: Run, sandbox: CyberTipline, approved: str) -> None:
    assert reporter("authority", "status", "ncmec").code == 0
    ran = reporter("deliver", "--until-idle")
    (report,) = sandbox.reports.values()
    assert (ran.code, ran.err) == (0, "")
    assert ran.text == f"{approved} → ncmec (sandbox): accepted, receipt {report.id}\n"
    assert reporter("deliver").text == "Nothing is due.\n"
    again = reporter("submission", "approve", approved, "--as", "bob")
    assert (again.code, "is accepted." in again.text, "Next:" in again.text) == (0, True, False)
    assert finished(sandbox) == 1


def test_an_authority_that_is_down_costs_nothing_but_time(
    reporter: Run, approved: str, double: CyberTipline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTER_DELIVERY__RETRY_BASE_SECONDS", "600")
    ran = reporter("authority", "status", "ncmec")
    assert (ran.code, ran.out) == (4, b"")
    assert ran.err == (
        "Error: ncmec (sandbox): the server refused the connection. "
        "Is it running? Start it in another terminal: reporter sandbox ncmec\n"
    )
    assert "could not be fetched: the server refused the connection" in reporter("authority", "schema", "ncmec").err
    ran = reporter("deliver")
    assert ran.code == 4
    assert "waiting: the server refused the connection; next try " in ran.text
    assert reporter("deliver").text.startswith("Nothing is due before ")
    assert reporter("deliver", "--json").json["next_due"]
    assert state(reporter) == "delivering"


@pytest.mark.parametrize(
    ("days", "host", "trusted", "why"),
    [
        ((-20, -10), "127.0.0.1", True, "it has expired"),
        ((10, 20), "127.0.0.1", True, "it is not valid yet"),
        ((-1, 10), "other.example", True, "it is for another host"),
        ((-1, 10), "127.0.0.1", False, "its issuer is unknown"),
    ],
)
def test_a_certificate_that_cannot_be_trusted(
    reporter: Run,
    home: Home,
    double: CyberTipline,
    approved: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    days: tuple[int, int],
    host: str,
    trusted: bool,
    why: str,
) -> None:
    ca, now = trustme.CA(), dt.datetime.now(dt.UTC)
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    if trusted:
        home.configure("[approval]", f'[http]\nca_file = "{tmp_path}/ca.pem"\n\n[approval]')

    def tls(host: str, start: int, end: int) -> tuple[str, str]:
        cert = ca.issue_cert(host, not_before=now + dt.timedelta(days=start), not_after=now + dt.timedelta(days=end))
        cert.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
        return str(tmp_path / "server.pem"), str(tmp_path / "server.pem")

    with serve(double, tls=tls(host, *days)) as server:
        monkeypatch.setenv(URL_VARIABLE, server.url)
        ran = reporter("authority", "status", "ncmec")
        assert (ran.code, ran.out) == (4, b"")
        assert ran.err.startswith(f"Error: ncmec (sandbox): the server's certificate could not be verified: {why}.")
        ran = reporter("deliver")
        assert (ran.code, why in ran.text) == (4, True)
    assert (state(reporter), double.requests) == ("delivering", [])
    if not trusted:
        home.configure("[approval]", f'[http]\nca_file = "{tmp_path}/ca.pem"\n\n[approval]')
    with serve(double, tls=tls("127.0.0.1", -1, 10)) as server:
        monkeypatch.setenv(URL_VARIABLE, server.url)
        assert reporter("deliver", "--until-idle").code == 0
    assert (state(reporter), finished(double)) == ("accepted", 1)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("ca_file", "/nowhere.pem", "authority.ncmec: ca_file cannot be read as PEM certificates"),
        ("proxy", "ftp://proxy.example", "authority.ncmec: proxy must be an http:// or https:// URL"),
    ],
)
def test_a_way_out_that_is_none(
    reporter: Run, home: Home, approved: str, monkeypatch: pytest.MonkeyPatch, key: str, value: str, says: str
) -> None:
    monkeypatch.setenv(URL_VARIABLE, "https://127.0.0.1:1/ispws")
    home.configure("[approval]", f'[http]\n{key} = "{value}"\n\n[approval]')
    for command in (("authority", "status", "ncmec"), ("deliver",)):
        ran = reporter(*command)
        assert (ran.code, ran.out) == (2, b"")
        assert says in ran.err
    assert says in reporter("doctor").text
    assert state(reporter) == "approved"


def test_a_server_that_never_answers_is_left_in_time(
    reporter: Run, approved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTER_DELIVERY__TIMEOUT_SECONDS", "0.2")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv(URL_VARIABLE, f"http://127.0.0.1:{silent.getsockname()[1]}/ispws")
        ran = reporter("authority", "status", "ncmec")
        assert (ran.code, "no answer came in time" in ran.err) == (4, True)
        assert reporter("deliver").code == 4
    assert state(reporter) == "delivering"


# --- who we are -------------------------------------------------------------------------------------------------


def test_a_wrong_password_stops_the_queue_until_it_is_set_right(
    reporter: Run, sandbox: CyberTipline, approved: str
) -> None:
    assert reporter("secret", "set", "ncmec-password", stdin=b"wrong\n").code == 0
    ran = reporter("authority", "status", "ncmec")
    assert (ran.code, ran.out) == (4, b"")
    assert "refuses our credentials or rights (HTTP 401). Check the username, and set the password" in ran.err
    for _ in range(2):
        ran = reporter("deliver", "--until-idle")
        assert ran.code == 4
        assert "ncmec:sandbox stands still: NCMEC refuses our credentials or rights (HTTP 401)" in ran.err
        assert "reporter secret set ncmec-password" in ran.err
        assert "reporter authority status ncmec" in ran.err
    assert [request.endpoint for request in sandbox.requests].count("submit") == 1
    shown = reporter("case", "show", approved)
    assert "reporter secret set ncmec-password" in shown.text
    assert "stands still" in reporter("doctor").text
    assert reporter("deliver", "--json").json["paused"].keys() == {"ncmec:sandbox"}
    ran = reporter("secret", "set", "ncmec-password", stdin=b"pswd456\n")
    assert ran.text == "Secret ncmec-password is sealed for sandbox.\nncmec:sandbox goes on.\n"
    assert reporter("deliver", "--until-idle").code == 0
    assert (state(reporter), finished(sandbox)) == ("accepted", 1)


def test_a_queue_also_goes_on_once_the_authority_knows_us_again(
    reporter: Run, sandbox: CyberTipline, approved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTER_AUTHORITY__NCMEC__USERNAME", "nobody")
    assert reporter("deliver").code == 4
    assert reporter("authority", "status", "ncmec").code == 4
    assert reporter("deliver").code == 4
    monkeypatch.delenv("REPORTER_AUTHORITY__NCMEC__USERNAME")
    assert reporter("authority", "status", "ncmec", "--json").json["resumed"] is True
    assert reporter("deliver", "--until-idle").code == 0
    assert finished(sandbox) == 1


def test_a_missing_username_or_password_is_named(reporter: Run, home: Home, approved: str) -> None:
    home.configure('username = "usr123"', "")
    for command in (("authority", "status", "ncmec"), ("authority", "schema", "ncmec"), ("deliver",)):
        ran = reporter(*command)
        assert (ran.code, ran.out) == (2, b"")
        assert "authority.ncmec: username and password are needed" in ran.err
    assert "authority.ncmec: username and password are needed" in reporter("doctor").text


# --- who may do what --------------------------------------------------------------------------------------------


def test_unknown_names_are_wrong_usage(reporter: Run, home: Home, approved: str) -> None:
    kept = home.listing()
    for command, says in {
        ("case", "show", "NO-SUCH-CASE"): "There is no case NO-SUCH-CASE here. See them all: reporter case list",
        ("case", "show", "Jane Doe, jane@mail.example"): "There is no case of that reference here.",
        ("delivery", "show", "NO-SUCH-CASE"): "There is no case NO-SUCH-CASE here.",
        ("submission", "approve", "NO-SUCH-CASE", "--as", "bob"): "There is no case NO-SUCH-CASE here.",
        ("submission", "preview", "NO-SUCH-CASE", "--to", "ncmec"): "There is no case NO-SUCH-CASE here.",
        ("submission", "preview", REFERENCE, "--to", "nobody"): "nobody is not configured (configured: ncmec)",
        ("submission", "approve", REFERENCE, "--to", "nobody"): "nobody is not configured (configured: ncmec)",
        (
            "submission",
            "preview",
            REFERENCE,
            "--to",
            "ncmec",
            "--document",
            "none",
        ): "there are: report, fileDetails:e1",
        ("authority", "status", "nobody"): "nobody is not configured",
        ("authority", "schema", "nobody"): "nobody is not configured",
        ("sandbox", "nobody"): "There is no adapter nobody (installed: nca, ncmec)",
        ("case", "revise", REFERENCE, "nowhere"): "There is no nowhere",
        ("case", "confirm", REFERENCE, "--basis", " "): "needs its basis",
    }.items():
        ran = reporter(*command)
        assert (ran.code, ran.out) == (2, b"")
        assert says in ran.err
        assert "jane" not in ran.err
    assert home.listing() == kept


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x1b[0m"])
def test_an_actor_needs_a_name(reporter: Run, home: Home, approved: str, name: str) -> None:
    kept = home.listing()
    ran = reporter("submission", "approve", approved, "--as", name)
    assert (ran.code, ran.err) == (2, "Error: --as needs a name, in one line.\n")
    assert home.listing() == kept


@pytest.mark.parametrize("name", ["ann", " ann", "ann\t"])
def test_whoever_prepared_a_case_may_not_approve_it(reporter: Run, home: Home, tmp_path: Path, name: str) -> None:
    assert reporter("case", "add", write_case(tmp_path), "--as", "ann").code == 0
    kept = home.listing()
    ran = reporter("submission", "approve", REFERENCE, "--as", name)
    assert (ran.code, ran.out) == (3, b"")
    assert "approval.people = 2: ann prepared this case, and a different person must approve." in ran.err
    assert home.listing() == kept


def test_the_operating_system_says_who_acts_and_no_variable(
    reporter: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reporter("case", "add", write_case(tmp_path)).code == 0
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "somebody-else")
    assert reporter("submission", "approve", REFERENCE).code == 3


def test_beyond_the_sandbox_a_name_is_not_enough(
    reporter: Run, home: Home, approved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(URL_VARIABLE)
    home.configure('base_url = "http://127.0.0.1:8911/ispws"', "")
    home.configure('environment = "sandbox"', 'environment = "production"')
    kept = home.listing()
    ran = reporter("submission", "approve", approved, "--as", "bob")
    assert (ran.code, ran.out) == (3, b"")
    assert "bob is not enrolled, and outside the sandbox only enrolled people act." in ran.err
    assert home.listing() == kept


def test_what_is_not_confirmed_is_never_approved(reporter: Run, home: Home, tmp_path: Path) -> None:
    for number, decision in enumerate(("not_confirmed", "pending")):
        reference = f"TEST-00000{number}"
        confirmation = {"decision": decision, "by": "r", "at": "2026-11-18T10:04:30Z", "basis": "SYNTHETIC"}
        assert reporter("case", "add", write_case(tmp_path, reference, confirmation=confirmation)).code == 0
        kept = home.listing()
        ran = reporter("submission", "approve", reference, "--as", "bob")
        assert (ran.code, ran.out) == (3, b"")
        assert f"Case {reference} is {decision}: only a confirmed case is ever sent (law 1)." in ran.err
        assert home.listing() == kept


def test_what_is_not_ready_is_named_in_the_paths_of_the_case(reporter: Run, home: Home, tmp_path: Path) -> None:
    person = {"id": "p1", "roles": ["suspect"], "account": {"id": "9" * 300}, "person": {"age": 200}}
    assert (
        reporter("case", "add", write_case(tmp_path, people=[person, {**person, "id": "p2"}]), "--as", "ann").code == 0
    )
    kept = home.listing()
    ran = reporter("submission", "approve", REFERENCE, "--as", "bob")
    assert (ran.code, ran.out) == (1, b"")
    assert f"Case {REFERENCE} is not ready for ncmec." in ran.err
    assert "\n  people[0]." in ran.err
    assert "999" not in ran.err
    ran = reporter("case", "check", REFERENCE)
    assert (ran.code, "people[0]." in ran.text) == (1, True)
    ran = reporter("submission", "preview", REFERENCE, "--to", "ncmec")
    assert (ran.code, "needed: people[0]." in ran.err) == (0, True)
    assert home.listing() == kept
