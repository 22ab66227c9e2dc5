"""The contract suite for key providers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from keycustody.errors import KeyCustodyError, MissingKeyError, SealError
from keycustody.providers import KeyProvider
from keycustody.wraps import Wrap

_CONTEXT = {"case": "TS-2026-000101", "use": "case-key"}
_KEY = bytes(range(32))


class KeyProviderContract:
    """
    Everything that holds of a key provider. A subclass gives the fixture ``open_provider``.

        class TestExample(KeyProviderContract):
            @pytest.fixture
            def open_provider(self, tmp_path):
                make_keys(tmp_path)
                return lambda: ExampleProvider(tmp_path)
    """

    @pytest.fixture
    def open_provider(self) -> Callable[[], KeyProvider]:
        """Give what opens the same provider again and again, as every new process does."""
        raise NotImplementedError

    @pytest.fixture
    def provider(self, open_provider: Callable[[], KeyProvider]) -> KeyProvider:
        """Give the provider, opened once."""
        return open_provider()

    @pytest.mark.parametrize("key", [b"", b"p", _KEY, "pässwörd".encode(), bytes(4096)], ids=len)
    def test_a_wrap_opens_to_what_was_wrapped(self, provider: KeyProvider, key: bytes) -> None:
        assert provider.unwrap(provider.wrap(key, _CONTEXT), _CONTEXT) == key

    def test_a_wrap_outlives_the_process_and_its_own_text(self, open_provider: Callable[[], KeyProvider]) -> None:
        wrap = Wrap.from_json(open_provider().wrap(_KEY, _CONTEXT).to_json())
        assert open_provider().unwrap(wrap, _CONTEXT) == _KEY

    def test_the_order_of_a_context_means_nothing(self, provider: KeyProvider) -> None:
        assert provider.unwrap(provider.wrap(_KEY, _CONTEXT), dict(reversed(_CONTEXT.items()))) == _KEY

    @pytest.mark.parametrize(
        "context",
        [
            {**_CONTEXT, "case": "TS-2026-000102"},
            {**_CONTEXT, "item": "e1"},
            {"case": _CONTEXT["case"]},
            {"use": _CONTEXT["case"], "case": _CONTEXT["use"]},
            {"case": _CONTEXT["case"] + _CONTEXT["use"], "use": ""},
            {},
        ],
        ids=["other value", "one more", "one less", "swapped", "moved", "none"],
    )
    def test_a_wrap_opens_in_its_own_context_only(self, provider: KeyProvider, context: dict[str, str]) -> None:
        wrap = provider.wrap(_KEY, _CONTEXT)
        with pytest.raises(SealError):
            provider.unwrap(wrap, context)

    def test_a_wrap_altered_anywhere_does_not_open(self, provider: KeyProvider) -> None:
        wrap = provider.wrap(_KEY, _CONTEXT)
        altered = [replace(wrap, ciphertext=_flipped(wrap.ciphertext, at)) for at in range(len(wrap.ciphertext))]
        altered += [replace(wrap, nonce=_flipped(wrap.nonce, at)) for at in range(len(wrap.nonce))]
        altered += [replace(wrap, ciphertext=wrap.ciphertext[:-1]), replace(wrap, ciphertext=b"")]
        altered += [replace(wrap, ciphertext=wrap.ciphertext + b"\0"), replace(wrap, alg="none")]
        for each in altered:
            with pytest.raises(KeyCustodyError):
                provider.unwrap(each, _CONTEXT)

    def test_parts_of_two_wraps_do_not_make_one(self, provider: KeyProvider) -> None:
        one, other = provider.wrap(_KEY, _CONTEXT), provider.wrap(bytes(32), {**_CONTEXT, "use": "another"})
        with pytest.raises(SealError):
            provider.unwrap(replace(one, nonce=other.nonce, ciphertext=other.ciphertext), _CONTEXT)

    def test_a_wrap_names_its_key_and_the_present_version(self, provider: KeyProvider) -> None:
        wrap = provider.wrap(_KEY, _CONTEXT)
        assert wrap.kek_version == provider.current_version >= 1
        assert wrap.kek_id == provider.kek_id != ""
        assert wrap.alg

    def test_a_key_that_is_not_held_is_called_missing(self, provider: KeyProvider) -> None:
        wrap = provider.wrap(_KEY, _CONTEXT)
        for missing in (replace(wrap, kek_version=wrap.kek_version + 1000), replace(wrap, kek_id="another-key")):
            with pytest.raises(MissingKeyError):
                provider.unwrap(missing, _CONTEXT)

    def test_after_rotation_new_wraps_name_the_new_version_and_old_ones_open(
        self, open_provider: Callable[[], KeyProvider]
    ) -> None:
        mine, others = open_provider(), open_provider()
        old, before = mine.wrap(_KEY, _CONTEXT), mine.current_version
        assert others.rotate() == others.current_version == before + 1
        new = others.wrap(_KEY, _CONTEXT)
        assert (new.kek_id, new.kek_version) == (old.kek_id, before + 1) == (mine.kek_id, mine.current_version)
        for provider in (mine, others, open_provider()):
            assert provider.unwrap(old, _CONTEXT) == provider.unwrap(new, _CONTEXT) == _KEY
        with pytest.raises(KeyCustodyError):
            mine.unwrap(replace(old, kek_version=new.kek_version), _CONTEXT)
        assert mine.wrap(_KEY, _CONTEXT).kek_version == new.kek_version

    def test_no_two_wraps_are_alike_and_none_shows_the_key(self, provider: KeyProvider) -> None:
        wraps = [provider.wrap(_KEY, _CONTEXT) for _ in range(50)]
        assert len({(wrap.nonce, wrap.ciphertext) for wrap in wraps}) == len(wraps)
        assert all(_KEY not in wrap.ciphertext for wrap in wraps)

    def test_threads_may_share_a_provider(self, provider: KeyProvider) -> None:
        def round_trip(number: int) -> bytes:
            context = {**_CONTEXT, "item": str(number)}
            return provider.unwrap(provider.wrap(number.to_bytes(4, "big"), context), context)

        with ThreadPoolExecutor(8) as pool:
            opened = list(pool.map(round_trip, range(200)))
        assert opened == [number.to_bytes(4, "big") for number in range(200)]

    def test_an_error_says_nothing_of_the_key(self, provider: KeyProvider) -> None:
        secret = b"harmless secret words"
        wrap = provider.wrap(secret, _CONTEXT)
        with pytest.raises(KeyCustodyError) as caught:
            provider.unwrap(wrap, {})
        assert secret.decode() not in str(caught.value) + repr(provider) + repr(wrap) + provider.describe()


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
