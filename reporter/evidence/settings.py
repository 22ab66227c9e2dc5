"""The section ``[objects]`` of the configuration."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reporter.weburl import WebUrl


class Objects(BaseModel):
    """Where sealed objects are kept: a folder of the home, or a bucket; ``secret_access_key`` is ``secret:NAME``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["folder", "s3"] = "folder"
    bucket: str = ""
    region: str | None = None
    endpoint_url: WebUrl | None = None
    prefix: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*/)*$", max_length=500)
    access_key_id: str = ""
    secret_access_key: str = ""
    object_lock: bool = False
    retain_days: float = Field(default=365.0, gt=0)  # 18 USC 2258A(h)(1): one year; the retention rules extend it

    @model_validator(mode="after")
    def _complete(self) -> Objects:
        if self.kind == "s3" and not (self.bucket and self.access_key_id and self.secret_access_key):
            raise ValueError("s3 needs bucket, access_key_id and secret_access_key")
        if self.kind == "folder" and self.model_fields_set - {"kind"}:
            raise ValueError('the other keys need kind = "s3"')
        return self

    @property
    def secrets(self) -> dict[str, str]:
        """Give the keys that point into the credential store, each with the name of its credential."""
        name = self.secret_access_key.removeprefix("secret:")
        return {"objects.secret_access_key": name} if name else {}
