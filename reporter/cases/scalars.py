"""
The scalar types of the case document.

Timestamps, dates and numbers are evidence: they are checked and then kept as written, as text.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)


class NumberAsWritten(float):
    """A JSON number with a fraction or exponent that remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> NumberAsWritten:
        """Read ``text`` as a float and keep it."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def instant(timestamp: str) -> datetime:
    """Give the instant, in UTC, of an RFC 3339 timestamp that has passed the document's checks."""
    return datetime.fromisoformat(timestamp).astimezone(UTC)


def day(text: str) -> date:
    """Give the day of a date that has passed the document's checks."""
    return date.fromisoformat(text)


def _timestamp(value: Any) -> str:
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        raise PydanticCustomError(
            "timestamp", "must be an RFC 3339 timestamp with a zone, such as 2026-11-18T10:00:00Z"
        )
    try:
        instant(value)
    except (ValueError, OverflowError) as error:
        raise PydanticCustomError("timestamp", "is not a moment that exists") from error
    return value


def _date(value: Any) -> str:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise PydanticCustomError("date", "must be a date written YYYY-MM-DD")
    try:
        day(value)
    except ValueError as error:
        raise PydanticCustomError("date", "is not a day that exists") from error
    return value


def _decimal(value: Any) -> str:
    if isinstance(value, NumberAsWritten):
        return value.text
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = repr(value)
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise PydanticCustomError("decimal", "must be a decimal number")
    return value


def _integer(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not _INTEGER.fullmatch(value):
        raise PydanticCustomError("integer", "must be a whole number")
    return value


Timestamp = Annotated[str, BeforeValidator(_timestamp), Field(json_schema_extra={"format": "date-time"})]
Date = Annotated[str, BeforeValidator(_date), Field(json_schema_extra={"format": "date"})]
#: A decimal kept as written; a JSON number or, where JSON cannot write it (``+5``, ``5.``), a string.
Decimal = Annotated[
    str,
    BeforeValidator(_decimal),
    Field(json_schema_extra={"type": ["number", "string"], "pattern": f"^{_DECIMAL.pattern}$"}),
]
#: A whole number kept as written; a JSON number or a string.
Integer = Annotated[
    str,
    BeforeValidator(_integer),
    Field(json_schema_extra={"type": ["integer", "string"], "pattern": f"^{_INTEGER.pattern}$"}),
]


def _without_null(schema: Any) -> Any:
    if isinstance(schema, dict):
        choices = schema.get("anyOf")
        if isinstance(choices, list):
            kept = [choice for choice in choices if choice != {"type": "null"}]
            if len(kept) == 1:
                rest = {key: value for key, value in schema.items() if key != "anyOf"}
                schema = {**kept[0], **rest}
            else:
                schema = {**schema, "anyOf": kept}
        return {key: _without_null(value) for key, value in schema.items() if not (key == "default" and value is None)}
    if isinstance(schema, list):
        return [_without_null(entry) for entry in schema]
    return schema


class Part(BaseModel):
    """Base of every object of the case document: unknown fields and nulls are refused, nothing is coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_null(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for key, value in data.items():
                if value is None:
                    raise PydanticCustomError(
                        "null", "{field} is null; leave out what is not known", {"field": str(key)}
                    )
        return data

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Publish the contract without the nulls that mean 'absent' in Python only."""
        schema: JsonSchemaValue = _without_null(handler(core_schema))
        return schema
