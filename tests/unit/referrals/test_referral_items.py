"""What becomes of an item, who may see what of it, and which are drawn for a second look."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keycustody import files
from keycustody.blind_index import BlindIndex
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.store import FolderKeyStore
from reporter.errors import DocumentError, UsageError
from reporter.referrals.answers import answer, automatic
from reporter.referrals.attachments import came
from reporter.referrals.document import parse
from reporter.referrals.drawing import Draw
from reporter.referrals.model import (
    Decision,
    Exemption,
    Item,
    Outcome,
    Place,
    Referral,
    State,
    Verdict,
    counts,
    next_place,
    state_after,
)
from reporter.testing.referrals import NEWSROOM, referral

ROOT = Path(__file__).parents[3]
AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
OUTCOMES = st.sampled_from(Outcome)


def made(outcome: Outcome, place: Place = Place.FIRST, actor: str = "ann-1", *, drawn: bool = False) -> Decision:
    case = "TEST-000001" if outcome is Outcome.CONFIRMED else ""
    return Decision(1, place, Verdict(outcome, "CS-4", None, case), actor, AT, "body", drawn)


def item(*decisions: Decision, number: int = 1, round_: int = 1) -> Item:
    present = [each for each in decisions if each.round == round_]
    return Item(number, round_, state_after(present), AT, decisions)


@given(OUTCOMES, OUTCOMES, OUTCOMES, st.booleans())
def test_an_item_ends_with_the_first_decision_unless_a_second_differs_and_then_with_the_leads(
    first: Outcome, second: Outcome, last: Outcome, drawn: bool
) -> None:
    decisions = [made(first, drawn=drawn)]
    assert state_after(decisions) is (State.SECOND_LOOK if drawn else State.DECIDED)
    if not drawn:
        return
    decisions.append(made(second, next_place(decisions), "bob"))
    assert state_after(decisions) is (State.DECIDED if first is second else State.LEAD)
    if first is second:
        assert item(*decisions).verdict == decisions[0].verdict
        return
    decisions.append(made(last, next_place(decisions), "lee"))
    ended = item(*decisions)
    assert ended.state is State.DECIDED
    assert ended.verdict == decisions[2].verdict


@pytest.mark.parametrize("viewer", ["bob", "", None])
def test_whoever_may_take_the_second_look_sees_an_undecided_item(viewer: str | None) -> None:
    waiting = item(made(Outcome.NOT_CONFIRMED, drawn=True))
    assert waiting.seen_by(viewer) == item()
    assert waiting.seen_by("ann-1") == waiting


def test_a_reopened_item_hides_its_new_decision_and_not_its_old_one() -> None:
    old = made(Outcome.NOT_CONFIRMED)
    new = Decision(2, Place.FIRST, old.verdict, "cas", AT, "body", drawn=True)
    seen = item(old, new, round_=2).seen_by("bob")
    assert (seen.state, seen.decisions) == (State.UNDECIDED, (old,))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> BlindIndex:
    folder = tmp_path_factory.mktemp("draw")
    files.make_folder(folder / "wraps")
    keyring = LocalKeyring.create(folder / "keyring", Places())
    return BlindIndex(keyring, FolderKeyStore(folder / "wraps"), "second-looks")


@given(st.text("0123456789abcdef", min_size=10, max_size=10), st.integers(1, 10_000), st.floats(0, 1), st.floats(0, 1))
def test_the_draw_is_the_same_again_and_a_larger_share_draws_no_fewer(
    index: BlindIndex, name: str, number: int, one: float, other: float
) -> None:
    smaller, larger = sorted((one, other))
    drawn = Draw(index, smaller).takes(f"rf:{name}", number)
    assert Draw(index, smaller).takes(f"rf:{name}", number) is drawn
    assert Draw(index, larger).takes(f"rf:{name}", number) or not drawn
    assert Draw(index, 1).takes(f"rf:{name}", number)
    assert not Draw(index, 0).takes(f"rf:{name}", number)


def test_the_share_is_drawn_and_another_key_draws_others(index: BlindIndex, tmp_path: Path) -> None:
    files.make_folder(tmp_path / "wraps")
    keyring = LocalKeyring.create(tmp_path / "keyring", Places())
    other = BlindIndex(keyring, FolderKeyStore(tmp_path / "wraps"), "second-looks")
    drawn, others = ({n for n in range(4000) if Draw(key, 0.25).takes("rf:0", n)} for key in (index, other))
    for each in (drawn, others):  # 4000 draws at 1/4: mean 1000, standard deviation 27.4; seven of them are never seen
        assert 800 < len(each) < 1200
    assert drawn != others


# --- what is handed in -------------------------------------------------------------------------------------------


def problems(**changes: Any) -> list[str]:
    with pytest.raises(DocumentError) as refused:
        parse(referral(1, **changes))
    return [f"{finding.path} {finding.rule}" for finding in refused.value.findings]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"items": []}, ["items too_short"]),
        ({"items": [{"note": "that one"}]}, ["items[0] which"]),
        ({"items": [{"link": "DATA:image/png;base64,AAAA"}]}, ["items[0].link content"]),
        ({"items": [{"link": " blob:https://a.example/1"}]}, ["items[0].link content"]),
        ({"items": [{"id": "1", "content": "x"}]}, ["items[0].content unknown_field"]),
        ({"items": [{"id": "1" * 2001}]}, ["items[0].id string_too_long"]),
        ({"items": [{"id": "1", "at": "yesterday"}]}, ["items[0].at timestamp"]),
        ({"attachments": ["x"]}, ["attachments unknown_field"]),
        ({"requested_by": "somebody"}, ["requested_by choice"]),
        ({"sender": {"kind": "suspect"}}, ["sender.kind enum"]),
    ],
)
def test_a_referral_has_no_place_for_content(changes: dict[str, Any], found: list[str]) -> None:
    assert problems(**changes) == found


def test_what_is_no_referral_is_refused() -> None:
    for data in (b"[]", b"{", b""):
        with pytest.raises(DocumentError):
            parse(data)


# --- what comes along --------------------------------------------------------------------------------------------


def test_what_is_attached_to_a_mail_is_counted_and_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = EmailMessage()
    mail["Subject"] = "SYNTHETIC"
    mail.set_content("two links")
    mail.add_attachment(b"harmless one", maintype="image", subtype="png", filename="one.png")
    mail.add_attachment("harmless two", filename="two.txt")
    (tmp_path / "mail.eml").write_bytes(mail.as_bytes())

    get = Message.get_payload

    def undecoded(part: Message, i: int | None = None, decode: bool = False) -> Any:
        assert not decode
        return get(part, i)

    monkeypatch.setattr(Message, "get_payload", undecoded)
    (found,) = came(None, [tmp_path / "mail.eml"])
    assert found.parts == (2,)
    assert [file.path for file in found.files] == ["mail.eml"]


@pytest.mark.parametrize(
    "hostile",
    [
        b"\x00\xff" * 100,
        b"Content-Type: multipart/mixed; boundary=a\n\n--a\n" * 3,
        b"Content-Type: text/plain; charset*=%%%; name*0*=x'\n\nx",
        b"\n".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d" % (n, n) for n in range(3000)),
    ],
)
def test_a_hostile_mail_is_taken_all_the_same(tmp_path: Path, hostile: bytes) -> None:
    (tmp_path / "mail.eml").write_bytes(hostile)
    (found,) = came(None, [tmp_path / "mail.eml"])
    assert len(found.files) == 1


def test_the_files_of_a_folder_are_numbered_and_links_are_refused(tmp_path: Path) -> None:
    for name in ("b.bin", "a.bin"):
        (tmp_path / name).write_bytes(b"harmless")
    (found,) = came(tmp_path, [])
    assert [(file.item, file.path) for file in found.files] == [("a0001", "a.bin"), ("a0002", "b.bin")]
    (tmp_path / "c.bin").symlink_to(tmp_path / "a.bin")
    with pytest.raises(DocumentError):
        came(tmp_path, [])
    with pytest.raises(UsageError):
        came(tmp_path / "nowhere", [])
    with pytest.raises(DocumentError):
        came(None, [tmp_path / "nowhere.eml"])


# --- what the sender is told -------------------------------------------------------------------------------------


def answered(kind: str, *items: Item) -> str:
    return answer(Referral("rf:0", kind, "nobody", AT, AT, "ann-1", "body", items), "Example Forum Ltd")


ITEMS = (
    item(made(Outcome.CONFIRMED), number=1),
    item(made(Outcome.NOT_CONFIRMED), number=2),
    item(made(Outcome.OUT_OF_SCOPE), number=3),
    item(made(Outcome.NOT_CONFIRMED, drawn=True), number=4),
    item(made(Outcome.NOT_CONFIRMED, drawn=True), made(Outcome.CONFIRMED, Place.SECOND, "bob"), number=5),
    item(number=6),
)


@pytest.mark.parametrize("kind", ["member", "newsroom", "hotline", "trusted_flagger", "police", "staff"])
def test_no_answer_warns_anybody(kind: str) -> None:
    text = answered(kind, *ITEMS)
    for told in ("TEST-000001", "ann-1", "bob", "rf:0", "case", "report", "police", "NCMEC", "NCA", "authority"):
        assert told not in text
    assert "second" not in text
    assert "Example Forum Ltd" in text


def test_who_may_know_of_each_item_is_told_by_which_clause() -> None:
    text = answered("trusted_flagger", *ITEMS)
    assert "- item 1: it broke our rules, and we acted on it (CS-4)" in text
    assert "- item 2: we did not find that it breaks our rules (CS-4)" in text
    for number in (4, 5, 6):
        assert f"- item {number}: we are still looking at it\n" in text


def test_others_are_told_how_many() -> None:
    text = answered("newsroom", *ITEMS)
    assert "- 3: we are still looking at it" in text
    assert "- 1: it broke our rules, and we acted on it" in text
    assert "CS-4" not in text
    assert "item 1" not in text


def test_the_automatic_answer_asks_for_links_ids_and_times_alone() -> None:
    text = automatic()
    assert "do NOT send us the content" in text
    assert "a link to each item, or its id" in text
    assert "when you saw it" in text
    assert f"```text\n{text}```" in (ROOT / "docs" / "howto" / "referrals.md").read_text(encoding="utf-8")


def test_numbers_say_what_became_of_all() -> None:
    exempt = Decision(1, Place.FIRST, Verdict(Outcome.NOT_CONFIRMED, "CS-9", Exemption.NEWS_PHOTOGRAPH), "ann", AT, "b")
    assert counts([each.seen_by("bob") for each in (*ITEMS, item(exempt, number=7))]) == {
        "items": 7,
        "undecided": 2,
        "second_look": 0,
        "lead": 1,
        "confirmed": 1,
        "not_confirmed": 2,
        "out_of_scope": 1,
        "exemptions": 1,
        "seen_twice": 1,
        "reopened": 0,
    }


def test_a_referral_keeps_its_bytes() -> None:
    data = referral(2)
    document, kept = parse(data)
    assert kept == data
    assert len(document.items) == 2
    assert document.sender.known_by.user_names == ("jo_reports",)
    assert json.loads(data)["sender"]["name"] == NEWSROOM["name"]
    assert "newsroom.example" not in repr(document.sender.known_by)
