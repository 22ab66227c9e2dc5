"""Bech32 (BIP 173), the text form of age's keys; age lifts the limit of 90 characters."""

from __future__ import annotations

_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = 6


def encode(prefix: str, data: bytes) -> str:
    """Write ``data`` in lower case, behind ``prefix``."""
    values = _regroup(list(data), 8, 5, pad=True)
    checksum = _polymod([*_expand(prefix), *values, *([0] * _CHECKSUM)]) ^ 1
    values += [(checksum >> 5 * (_CHECKSUM - 1 - place)) & 31 for place in range(_CHECKSUM)]
    return f"{prefix}1{''.join(_CHARSET[value] for value in values)}"


def decode(prefix: str, text: str) -> bytes:
    """
    Read ``text``, which must be all in one case and begin with ``prefix``.

    Raises:
        ValueError: It is not Bech32 of that prefix. The text, which may be a secret, is not repeated.

    """
    lowered = text.lower()
    found, separator, payload = lowered.rpartition("1")
    if text not in (lowered, text.upper()) or not separator or found != prefix or len(payload) < _CHECKSUM:
        raise ValueError("not a key of this kind")
    if any(letter not in _CHARSET for letter in payload):
        raise ValueError("not a key of this kind")
    values = [_CHARSET.index(letter) for letter in payload]
    if _polymod([*_expand(prefix), *values]) != 1:
        raise ValueError("the key's checksum is wrong")
    return bytes(_regroup(values[:-_CHECKSUM], 5, 8, pad=False))


def _expand(prefix: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix)]


def _polymod(values: list[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATOR):
            checksum ^= generator if top >> place & 1 else 0
    return checksum


def _regroup(values: list[int], width: int, into: int, *, pad: bool) -> list[int]:
    bits = count = 0
    groups = []
    for value in values:
        bits, count = bits << width | value, count + width
        while count >= into:
            count -= into
            groups.append(bits >> count)
            bits &= (1 << count) - 1
    if pad and count:
        groups.append(bits << into - count)
    elif not pad and (count >= width or bits):
        raise ValueError("the key's padding is wrong")
    return groups
