"""A house that reports to the mock of our own NCA-style contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapters.nca.sandbox import PASSWORD, USERNAME
from reporter.testing.house import House
from tests.contract.nca_subject import CHANGES

TOML = f"""
[organisation]
name = "Example Forum Ltd"
established_in = "GB"
serves = ["GB"]

[organisation.reporting_person]
first_name = "Sam"
last_name = "Example"
email = "reports@forum.example"
phone = {{number = "1632 960000", country_calling_code = "44"}}

[authority.nca]
environment = "sandbox"
password = "secret:nca-key"
registration_id = "{USERNAME}"
registered_on = 2026-04-07
administrator = {{name = "Alex Example", email = "alex@forum.example"}}
replacement = {{name = "Robin Example", email = "robin@forum.example"}}
authorised_persons = [{{name = "Sam Example", email = "reports@forum.example"}}]
"""


def nca_house(folder: Path, faults: str = "", **modes: bool) -> House:
    """Give a house with the mock in place of the network; ``modes`` are those of both sides."""
    house = House(folder, authority="nca", faults=faults)
    house.double._idempotency = modes.get("idempotency", False)
    house.double._look_up = modes.get("look_up", False)
    lines = [f"{name} = {str(value).lower()}" for name, value in modes.items()]
    (folder / "home" / "reporter.toml").write_text(TOML + "\n".join(lines) + "\n")
    house.app.close()
    house.restart()
    house.app.secrets.set("nca-key", PASSWORD, "op")
    return house


def nca_case(**changes: Any) -> dict[str, Any]:
    """Give the fields by which the synthetic case is ready for the NCA's contract."""
    return {**CHANGES, **changes}
