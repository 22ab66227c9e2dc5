import io
import json
import subprocess
import tarfile
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

from keycustody import age, recovery_kit
from keycustody.age import Identity
from keycustody.errors import SealError

SECRET = b"harmless root key " * 40


def people(count: int) -> list[Identity]:
    return [Identity.generate() for _ in range(count)]


def kit_for(some: list[Identity]) -> bytes:
    return recovery_kit.seal(SECRET, [each.recipient for each in some])


def contents(kit: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(kit)) as tar:
        return {about.name: file.read() for about in tar if (file := tar.extractfile(about))}


def tarred(content: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, text in content.items():
            about = tarfile.TarInfo(name)
            about.size = len(text)
            tar.addfile(about, io.BytesIO(text))
    return out.getvalue()


@pytest.mark.parametrize("count", [2, 3, 5, 7])
def test_any_two_read_it_in_either_order_and_nobody_alone(count: int) -> None:
    some, stranger = people(count), Identity.generate()
    kit = kit_for(some)
    for one, other in combinations(some, 2):
        assert recovery_kit.unseal(kit, [one, other]) == recovery_kit.unseal(kit, [other, one]) == SECRET
    for one in some:
        for alone in ([one], [one, one], [one, stranger]):
            with pytest.raises(SealError, match="1 of them"):
                recovery_kit.unseal(kit, alone)
    assert SECRET[:17] not in kit


def test_one_person_gets_no_further_than_the_outer_seal() -> None:
    some = people(3)
    for one in some:
        for name, part in contents(kit_for(some)).items():
            if not name.endswith(".age"):
                continue
            try:
                inner = b"".join(age.decrypt(io.BytesIO(part), one))
            except SealError:
                continue
            assert inner.startswith(b"age-encryption.org/v1\n") and SECRET[:17] not in inner
            with pytest.raises(SealError):
                list(age.decrypt(io.BytesIO(inner), one))


def test_stock_age_opens_it_as_the_readme_says(program: Callable[[str], str], tmp_path: Path) -> None:
    stock, keygen = program("age"), program("age-keygen")
    keys = [tmp_path / f"{number}.key" for number in range(3)]
    for key in keys:
        subprocess.run([keygen, "-o", key], check=True, capture_output=True)
    names = [subprocess.run([keygen, "-y", key], check=True, capture_output=True, text=True).stdout for key in keys]
    (tmp_path / "kit").write_bytes(recovery_kit.seal(SECRET, [name.strip() for name in names]))
    subprocess.run(["tar", "-xf", "kit"], check=True, cwd=tmp_path)
    index = json.loads((tmp_path / "index.json").read_text())
    assert len(index["parts"]) == 3
    holders = dict(zip(index["recipients"], keys, strict=True))
    for part in index["parts"]:
        script = '"$0" -d -i "$1" "$2" | "$0" -d -i "$3"'
        arguments = [stock, holders[part["first"]], part["file"], holders[part["second"]]]
        ran = subprocess.run(["sh", "-c", script, *arguments], check=True, capture_output=True, cwd=tmp_path)
        assert ran.stdout == SECRET


def test_the_people_are_two_to_seven_and_different() -> None:
    one, other = (each.recipient for each in people(2))
    for wrong in ([], [one], [one, one], [one, one.upper()], [each.recipient for each in people(8)]):
        with pytest.raises(ValueError, match="2 to 7 different"):
            recovery_kit.seal(SECRET, wrong)
    with pytest.raises(SealError):
        recovery_kit.seal(SECRET, [one, other[:-1]])


def test_a_kit_that_was_altered_or_is_none_says_so() -> None:
    some = people(2)
    kit = contents(kit_for(some))
    part = kit["1-2.age"]
    index = json.loads(kit["index.json"])
    index["parts"][0]["file"] = "../../etc/passwd"
    wrong = [
        {**kit, "1-2.age": part[:-1] + bytes([part[-1] ^ 1])},
        {**kit, "1-2.age": part[:-20]},
        {**kit, "1-2.age": b""},
        {**kit, "index.json": b"{}"},
        {**kit, "index.json": b"[]"},
        {**kit, "index.json": json.dumps({**index}).encode()},
        {**kit, "index.json": json.dumps({**index, "format": "another/1"}).encode()},
        {name: text for name, text in kit.items() if name != "1-2.age"},
    ]
    for damaged in [b"", b"nonsense", kit_for(some)[:700], *map(tarred, wrong)]:
        with pytest.raises(SealError):
            recovery_kit.unseal(damaged, some)
    assert recovery_kit.unseal(tarred(kit), some) == SECRET
