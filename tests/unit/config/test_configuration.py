"""reporter.toml and the variables that overrule it: what is read, what is refused, and that no value is repeated."""

from pathlib import Path

import pytest

from reporter import config
from reporter.authority import Environment
from reporter.errors import ConfigurationError, EnvironmentTroubleError
from reporter.organisation import Organisation

MINIMAL = '[organisation]\nname = "Example Forum Ltd"\n'
SECRET = "Quixotic-Secret"


def load(folder: Path, text: str = "") -> config.Configuration:
    (folder / config.FILE_NAME).write_text(MINIMAL + text, encoding="utf-8")
    return config.load(folder)


def test_what_is_not_said_has_a_safe_default(tmp_path: Path) -> None:
    read = load(tmp_path, "[authority.ncmec]\n")
    assert read.approval.people == 2
    assert read.authority["ncmec"].environment is Environment.SANDBOX
    assert read.database == f"sqlite:///{tmp_path}/reporter.sqlite3"
    assert (read.http.proxy, read.authority["ncmec"].secret_name) == (None, "")


def test_variables_overrule_the_file_key_by_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTER_DELIVERY__CONCURRENCY", "8")
    monkeypatch.setenv("REPORTER_AUTHORITY__NCMEC__USERNAME", "usr-2")
    monkeypatch.setenv("REPORTER_DATABASE_URL", f"postgresql://me:{SECRET}@db.example/r")
    read = load(tmp_path, '[delivery]\nconcurrency = 2\nlease_seconds = 90\n[authority.ncmec]\npassword = "secret:x"\n')
    assert (read.delivery.concurrency, read.delivery.lease_seconds) == (8, 90)
    assert (read.authority["ncmec"].username, read.authority["ncmec"].secret_name) == ("usr-2", "x")
    assert read.database == f"postgresql://me:{SECRET}@db.example/r"


def test_the_home_is_where_the_variable_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REPORTER_HOME", "~/elsewhere")
    assert config.home_folder() == tmp_path / "elsewhere"
    monkeypatch.delenv("REPORTER_HOME")
    assert config.home_folder() == tmp_path / ".local" / "share" / "reporter"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPORTER_HOME", "here")
    assert config.home_folder() == tmp_path / "here"


def test_an_adapters_own_keys_are_handed_on(tmp_path: Path) -> None:
    section = load(tmp_path, "[authority.ncmec]\nindustry_classification = true\n").authority["ncmec"]
    assert section.settings == {"industry_classification": True}


@pytest.mark.parametrize(
    ("given", "addresses"),
    [
        ('email = "a@forum.example"', ["a@forum.example"]),
        ('emails = "a@forum.example"', ["a@forum.example"]),
        ('email = ["a@forum.example", "b@forum.example"]', ["a@forum.example", "b@forum.example"]),
        ('email = {address = "a@forum.example", type = "work"}', ["a@forum.example"]),
        ('email = "a@forum.example"\nemails = ["b@forum.example"]', ["a@forum.example", "b@forum.example"]),
        ("", []),
    ],
)
def test_a_contact_takes_short_forms_and_loses_none(tmp_path: Path, given: str, addresses: list[str]) -> None:
    read = load(tmp_path, f"[organisation.reporting_person]\n{given}\n")
    assert [email.address for email in read.organisation.reporting_person.emails] == addresses


def test_a_contacts_telephone_may_be_text_or_more(tmp_path: Path) -> None:
    numbers = '"555 0100", {number = "555 0101", country_calling_code = "1"}'
    contact = load(tmp_path, f"[organisation.law_enforcement_contact]\nphone = [{numbers}]\n").organisation
    assert contact.law_enforcement_contact is not None
    assert [phone.number for phone in contact.law_enforcement_contact.phones] == ["555 0100", "555 0101"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f'[delivery]\nconcurrency = "{SECRET}"\n', "delivery.concurrency: "),
        ("[delivery]\nconcurrency = 0\n", "delivery.concurrency: "),
        ("[delivery]\nconcurrency = 65\n", "delivery.concurrency: "),
        ("[delivery]\nlease_seconds = -1\n", "delivery.lease_seconds: "),
        ("[approval]\npeople = 0\n", "approval.people: "),
        (f"[approval]\n{SECRET} = 1\n", f"approval.{SECRET}: unknown key"),
        (f'approval = "{SECRET}"\n', "organisation.approval: unknown key"),
        (
            f'[organisation.reporting_person]\nemail = {{address = "x", kind = "{SECRET}"}}\n',
            "emails.0.kind: unknown key",
        ),
        ("[organisation.reporting_person]\nemail = 7\n", "emails.0: must be a section"),
        (f'[authority]\nncmec = "{SECRET}"\n', "authority.ncmec: must be a section"),
        (f'[authority.ncmec]\npassword = "{SECRET}"\n', "authority.ncmec.password: a secret never stands"),
        (f'[authority.ncmec]\npassword = "secret:{"x" * 65}"\n', "authority.ncmec.password: what follows secret:"),
        ('[authority.ncmec]\npassword = "secret:"\n', "authority.ncmec.password: what follows secret:"),
        (f'[http]\nproxy = "http://me:{SECRET}@proxy.example"\n', "http.proxy: a secret never stands"),
    ],
)
def test_a_wrong_key_is_named_and_its_value_is_not(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        load(tmp_path, text)
    assert says in wrong.value.diagnostics()
    assert SECRET not in wrong.value.diagnostics().replace(f"approval.{SECRET}", "")


@pytest.mark.parametrize(("code", "says"), [("UK", "write GB"), ("gb", "two capital letters"), ("EU", "each of its")])
def test_a_country_that_no_rule_would_know_is_refused(code: str, says: str) -> None:
    for given in ({"established_in": code}, {"serves": ["US", code]}):
        with pytest.raises(ValueError, match=says):
            Organisation.model_validate({"name": "Example", **given})


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        load(tmp_path, "[approval]\npeople = 0\n[delivery]\nconcurrency = 0\nshoes = 1\n")
    assert all(key in wrong.value.message for key in ("approval.people", "delivery.concurrency", "delivery.shoes"))


def test_a_password_for_the_database_stands_in_no_file(tmp_path: Path) -> None:
    (tmp_path / config.FILE_NAME).write_text(f'database_url = "postgresql://me:{SECRET}@db.example/r"\n{MINIMAL}')
    with pytest.raises(ConfigurationError) as wrong:
        config.load(tmp_path)
    assert "REPORTER_DATABASE_URL" in wrong.value.next_step
    assert SECRET not in wrong.value.diagnostics()


def test_a_variable_that_stands_for_a_whole_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTER_DELIVERY", SECRET)
    with pytest.raises(ConfigurationError) as wrong:
        load(tmp_path)
    assert wrong.value.next_step == "Give its keys one by one: REPORTER_DELIVERY__KEY"
    assert SECRET not in wrong.value.diagnostics()


def test_variables_that_mean_nothing_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REPORTER_DATABSE_URL", "REPORTER_DELIVERY__CONCURRENCY", "REPORTER_NCMEC_XSD", "REPORTER_NCMECX"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("REPORTER_KEY_FILE", "/where/my/key/lies")
    found = set(config.stray_variables({"ncmec"}))
    assert {"REPORTER_DATABSE_URL", "REPORTER_NCMECX"} <= found
    assert found.isdisjoint(
        {"REPORTER_DELIVERY__CONCURRENCY", "REPORTER_NCMEC_XSD", "REPORTER_HOME", "REPORTER_KEY_FILE"}
    )


@pytest.mark.parametrize("content", [b"\xff", b"[organisation", b'name = "x" "y"'])
def test_what_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / config.FILE_NAME).write_bytes(content)
    with pytest.raises(ConfigurationError):
        config.load(tmp_path)


def test_a_file_that_the_disk_does_not_give_is_trouble_of_the_surroundings(tmp_path: Path) -> None:
    (tmp_path / config.FILE_NAME).mkdir()
    with pytest.raises(EnvironmentTroubleError, match="cannot be read"):
        config.load(tmp_path)


@pytest.mark.parametrize("home", ["nowhere", "a-file", "a-file/below"])
def test_no_home_says_how_to_make_one(tmp_path: Path, home: str) -> None:
    (tmp_path / "a-file").touch()
    with pytest.raises(ConfigurationError) as wrong:
        config.load(tmp_path / home)
    assert wrong.value.next_step == "Set one up: reporter init"


BUCKET = '[objects]\nkind = "s3"\nbucket = "b"\naccess_key_id = "a"\nsecret_access_key = "secret:objects-key"\n'


def test_a_bucket_says_which_credential_it_needs(tmp_path: Path) -> None:
    objects = load(tmp_path, BUCKET).objects
    assert objects.secrets == {"objects.secret_access_key": "objects-key"}
    assert (objects.object_lock, objects.retain_days, objects.prefix) == (False, 365, "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[objects]\nkind = "tape"\n', "objects.kind"),
        ('[objects]\nkind = "s3"\nbucket = "b"\n', "s3 needs bucket, access_key_id and secret_access_key"),
        ('[objects]\nbucket = "b"\n', 'need kind = "s3"'),
        (BUCKET + 'endpoint_url = "http://objects.example"\n', "objects.endpoint_url"),
        (BUCKET + 'endpoint_url = "https://a:hidden@objects.example"\n', "objects.endpoint_url"),
        (BUCKET + 'prefix = "../up/"\n', "objects.prefix"),
        (BUCKET + 'prefix = "/rooted"\n', "objects.prefix"),
        (BUCKET + 'prefix = "no-slash"\n', "objects.prefix"),
        (BUCKET + "retain_days = 0\n", "objects.retain_days"),
        (BUCKET.replace("secret:objects-key", "hidden"), "objects.secret_access_key: a secret never stands"),
        (BUCKET.replace("secret:objects-key", "secret:Hidden!"), "objects.secret_access_key: what follows"),
    ],
)
def test_a_bucket_that_is_described_wrongly_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    assert says in caught.value.diagnostics()
    assert "hidden" not in caught.value.diagnostics().lower()
