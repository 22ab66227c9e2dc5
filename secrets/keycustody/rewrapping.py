"""
What is wrapped directly under the root KEK (keys of cases and of indexes, credentials), wrapped again under its newest
version.

Online: at any moment a wrap is the old or the new one, whole, and the provider opens both. Only what is of an older
version is touched, so a run that was killed is gone on with by another one. A wrap that was destroyed or set anew in
the meantime stays as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from keycustody.blind_index import index_key_context, index_keys
from keycustody.cases import case_key_context, case_key_id
from keycustody.credentials import CredentialStore
from keycustody.errors import MissingKeyError, SealError
from keycustody.providers import KeyProvider
from keycustody.store import KeyStore
from keycustody.wraps import Wrap


class Outcome(StrEnum):
    """What became of one wrap."""

    REWRAPPED = "rewrapped"
    CURRENT = "current"
    GONE = "gone"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One wrap; ``name`` says whose it is, ``why`` what is wrong with one that failed."""

    name: str
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Held:
    """A wrap where it is kept; ``read`` also gives what it is bound to."""

    name: str
    read: Callable[[], tuple[Wrap, Mapping[str, str]]]
    replace: Callable[[Wrap, Wrap], bool]


class RootWraps:
    """Every wrap under the root KEK of a home."""

    def __init__(self, provider: KeyProvider, store: KeyStore, credentials: CredentialStore) -> None:
        self._provider, self._store, self._credentials = provider, store, credentials

    def count(self) -> int:
        """
        Say how many there are.

        Raises:
            StorageError: One of the stores cannot be read.

        """
        return sum(1 for _ in self._all())

    def versions(self) -> Counter[tuple[str, int] | None]:
        """
        Give how many are of which KEK and version; those that are no wraps any more count under None.

        Raises:
            StorageError: One of the stores cannot be read.

        """
        found: Counter[tuple[str, int] | None] = Counter()
        for held in self._all():
            try:
                wrap, _ = held.read()
                found[wrap.kek_id, wrap.kek_version] += 1
            except SealError:
                found[None] += 1
            except MissingKeyError:  # destroyed since the ids were listed
                continue
        return found

    def unopened(self) -> Iterator[Step]:
        """
        Give every one that the provider does not open; nothing is changed.

        Raises:
            StorageError: One of the stores, or the provider, does not work.

        """
        for held in self._all():
            try:
                self._provider.unwrap(*held.read())
            except (SealError, MissingKeyError) as error:
                yield Step(held.name, Outcome.FAILED, str(error))

    def rewrap(self) -> Iterator[Step]:
        """
        Wrap again what is of an older version than the current one, and give each wrap as it was dealt with.

        Goes round until nothing is left to do: a key wrapped just before a rotation may be kept just after it.

        Raises:
            StorageError: One of the stores, or the provider, does not work; another run goes on.

        """
        kek_id, version = self._provider.kek_id, self._provider.current_version
        seen: set[str] = set()
        again = True
        while again:
            again = False
            for held in self._all():
                step = self._step(held, kek_id, version)
                again = again or step.outcome is Outcome.REWRAPPED
                if step.outcome is Outcome.REWRAPPED or held.name not in seen:
                    yield step
                seen.add(held.name)

    def _step(self, held: _Held, kek_id: str, version: int) -> Step:
        while True:
            try:
                wrap, context = held.read()
                if wrap.kek_id == kek_id and wrap.kek_version >= version:
                    return Step(held.name, Outcome.CURRENT)
                key = self._provider.unwrap(wrap, context)
            except (SealError, MissingKeyError) as error:
                if self._is_gone(held):
                    return Step(held.name, Outcome.GONE)
                return Step(held.name, Outcome.FAILED, str(error))
            new = self._provider.wrap(key, context)
            if self._provider.unwrap(new, context) != key:
                return Step(held.name, Outcome.FAILED, "What the provider wrapped does not open to the same.")
            if held.replace(wrap, new):
                return Step(held.name, Outcome.REWRAPPED)

    def _is_gone(self, held: _Held) -> bool:
        try:
            held.read()
        except MissingKeyError:
            return True
        except SealError:
            pass
        return False

    def _all(self) -> Iterator[_Held]:
        prefix = case_key_id("")
        for key_id in self._store.ids(prefix):
            case = key_id.removeprefix(prefix)
            yield _Held(key_id, partial(self._case, case), partial(self._store.replace, key_id))
        for key_id in index_keys(self._store):
            yield _Held(key_id, partial(self._index, key_id), partial(self._store.replace, key_id))
        for name in self._credentials.files():
            yield _Held(f"credential {name}", partial(self._credential, name), partial(self._credentials.replace, name))

    def _case(self, case: str) -> tuple[Wrap, Mapping[str, str]]:
        return self._store.get(case_key_id(case)), case_key_context(case)

    def _index(self, key_id: str) -> tuple[Wrap, Mapping[str, str]]:
        return self._store.get(key_id), index_key_context(key_id)

    def _credential(self, name: str) -> tuple[Wrap, Mapping[str, str]]:
        kept = self._credentials.sealed(name)
        return kept.wrap, kept.context(name)
