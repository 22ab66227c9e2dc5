"""A whole home whose root key an HSM holds: set up, worked, checked, and waiting while it is away."""

from datetime import timedelta
from pathlib import Path

import pytest

from keycustody.hsm import TokenKeyring
from reporter import doctor
from reporter.errors import EnvironmentTroubleError
from reporter.testing.house import House


def test_a_report_is_filed_with_a_root_key_that_never_leaves_its_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token
) -> None:
    settings = {
        "PROVIDER": "pkcs11",
        "MODULE": str(token.module),
        "TOKEN": token.label,
        "PIN_FILE": str(token.pin_file),
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"REPORTER_KEYS__{name}", value)
    monkeypatch.setenv("REPORTER_HOME", str(tmp_path / "home"))

    house = House(tmp_path)
    house.approved(files={"e1": b"harmless"})
    house.until_idle()
    assert house.submission()["state"] == "accepted"
    assert isinstance(house.app.custody.provider, TokenKeyring)
    assert not (tmp_path / "home" / "keys").exists()
    found = {symptom.name: symptom for symptom in doctor.examine()}
    assert (found["keys"].state, "PKCS#11 token reporter-test" in found["keys"].text) == ("ok", True)
    house.approved("TEST-000002")
    house.app.close()

    (tmp_path / "tokens").rename(tmp_path / "pulled-out")
    (tmp_path / "tokens").mkdir()
    token.seen_anew()
    house.restart()
    with pytest.raises(EnvironmentTroubleError, match="The token reporter-test"):
        house.app.cases.document("TEST-000001", "op")
    with pytest.raises(EnvironmentTroubleError, match="The token reporter-test"):
        house.work()
    (tmp_path / "tokens").rmdir()
    (tmp_path / "pulled-out").rename(tmp_path / "tokens")
    house.clock.advance_to(house.clock.now() + timedelta(hours=1))
    house.until_idle()
    assert house.submission("TEST-000002")["state"] == "accepted"
    house.app.close()
