"""A whole home whose root key an HSM holds: set up, worked, checked, and waiting while it is away."""

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pkcs11
import pytest

from keycustody.hsm import TokenKeyring
from reporter import doctor
from reporter.errors import EnvironmentTroubleError
from reporter.testing.house import House

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib64/libsofthsm2.so")


def test_a_report_is_filed_with_a_root_key_that_never_leaves_its_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Callable[[str], str]
) -> None:
    tool = program("softhsm2-util")
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
    command = [tool, "--init-token", "--free", "--label", "house", "--pin", "harmless-pin", "--so-pin", "another-pin"]
    subprocess.run(command, check=True, capture_output=True)
    (tmp_path / "pin").write_text("harmless-pin")
    (tmp_path / "pin").chmod(0o600)
    module = next(path for path in MODULES if Path(path).exists())
    pkcs11.lib(module).reinitialize()
    settings = {"PROVIDER": "pkcs11", "MODULE": module, "TOKEN": "house", "PIN_FILE": str(tmp_path / "pin")}
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
    assert (found["keys"].state, "PKCS#11 token house" in found["keys"].text) == ("ok", True)
    house.approved("TEST-000002")
    house.app.close()

    (tmp_path / "tokens").rename(tmp_path / "pulled-out")
    (tmp_path / "tokens").mkdir()
    pkcs11.lib(module).reinitialize()
    house.restart()
    with pytest.raises(EnvironmentTroubleError, match="The token house"):
        house.app.cases.document("TEST-000001", "op")
    with pytest.raises(EnvironmentTroubleError, match="The token house"):
        house.work()
    (tmp_path / "tokens").rmdir()
    (tmp_path / "pulled-out").rename(tmp_path / "tokens")
    house.clock.advance_to(house.clock.now() + timedelta(hours=1))
    house.until_idle()
    assert house.submission("TEST-000002")["state"] == "accepted"
    house.app.close()
    pkcs11.lib(module).finalize()
