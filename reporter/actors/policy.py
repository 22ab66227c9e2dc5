"""
Who may do what: one row for each command that acts, as data.

A command that stands in neither table is refused to everybody outside the sandbox. Why the roles are cut like this:
docs/howto/people-and-roles.md. The same table for readers: docs/reference/roles.csv.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reporter.actors.model import Role

_ANALYST, _LEAD, _COMPLIANCE = Role.ANALYST, Role.ESCALATION_LEAD, Role.COMPLIANCE
_LEGAL, _AUDITOR, _CUSTODIAN, _ADMINISTRATOR = Role.LEGAL, Role.AUDITOR, Role.CUSTODIAN, Role.ADMINISTRATOR


@dataclass(frozen=True, slots=True)
class Rule:
    """
    The roles that may run a command, and how.

    ``token`` says whether a token suffices, as for a program that acts unattended; what takes two people, what
    confirms, and what shows content never does with one. ``signs`` names what the statement carries: parameters, or the
    digest of what the command makes of them.
    """

    roles: frozenset[Role]
    token: bool = False
    signs: tuple[str, ...] = ()


def _may(*roles: Role, token: bool = False, signs: tuple[str, ...] = ()) -> Rule:
    return Rule(frozenset(roles), token, signs)


#: The document itself is signed, whatever words the command was given.
_HANDED_IN = ("reference", "digest")
#: By command, without ``reporter``.
RULES: Final[Mapping[str, Rule]] = {
    # Cases: who judges them hands them in and reads them; who answers for them may, too.
    "case add": _may(_ANALYST, _LEAD, token=True, signs=_HANDED_IN),
    "case import": _may(_ANALYST, _LEAD, token=True, signs=_HANDED_IN),
    "case revise": _may(_ANALYST, _LEAD, signs=_HANDED_IN),
    "case confirm": _may(_ANALYST, _LEAD, signs=_HANDED_IN),
    "case show": _may(_ANALYST, _LEAD, _COMPLIANCE, _LEGAL, signs=("reference",)),  # with --document
    "submission preview": _may(_ANALYST, _LEAD, _COMPLIANCE, _LEGAL, signs=("reference", "authority")),
    "delivery show": _may(_ANALYST, _LEAD, _COMPLIANCE, _LEGAL, signs=("reference",)),  # with --words
    # What leaves the house, and what people say of it.
    "submission approve": _may(_LEAD, _COMPLIANCE, signs=("reference", "authority", "break_glass")),
    "submission review": _may(_LEAD, _COMPLIANCE, signs=("reference", "authority", "agree")),
    "submission supplement": _may(_ANALYST, _LEAD, _COMPLIANCE, signs=("reference", "authority")),
    "submission withdraw": _may(_LEAD, _COMPLIANCE, signs=("reference", "authority")),
    "submission hand-out": _may(_LEAD, _COMPLIANCE, signs=("reference", "authority", "again")),
    "submission record-receipt": _may(_LEAD, _COMPLIANCE, signs=("reference", "authority", "receipt", "at")),
    "delivery resolve": _may(_LEAD, _COMPLIANCE, signs=("reference", "authority", "accepted", "receipt")),
    "task done": _may(_LEAD, _COMPLIANCE, signs=("number", "receipt", "not_needed")),
    "task request": _may(_ANALYST, _LEAD, _COMPLIANCE, _LEGAL, signs=("number", "authority", "received", "of")),
    "task refresh": _may(_LEAD, _COMPLIANCE, _ADMINISTRATOR, token=True),
    "task show": _may(_LEAD, _COMPLIANCE, _LEGAL, signs=("number",)),  # with --words
    # Who told us, and who else is protected: no one person takes anybody's protection away.
    "contact add": _may(_ANALYST, _LEAD, _COMPLIANCE, _LEGAL, signs=("kind",)),
    "contact import": _may(_LEAD, _COMPLIANCE, _LEGAL, token=True),
    "contact list": _may(_ANALYST, _LEAD, _COMPLIANCE, _LEGAL),
    "contact allow": _may(_ANALYST, _LEAD, _COMPLIANCE, _LEGAL, signs=("reference",)),
    "contact remove": _may(_LEAD, _COMPLIANCE, _LEGAL, signs=("number",)),
    # What authorities demand, and what is kept for them: to hold is urgent, to let go takes two.
    "demand add": _may(_COMPLIANCE, _LEGAL),
    "demand show": _may(_COMPLIANCE, _LEGAL, signs=("number",)),  # with --words
    "demand verify": _may(_COMPLIANCE, _LEGAL, signs=("number", "how")),
    "demand renew": _may(_COMPLIANCE, _LEGAL, signs=("number", "at")),
    "demand close": _may(_COMPLIANCE, _LEGAL, signs=("number", "outcome")),
    "demand destroy": _may(_COMPLIANCE, _LEGAL, signs=("number", "where")),
    "hold place": _may(_LEAD, _COMPLIANCE, _LEGAL),
    "hold show": _may(_COMPLIANCE, _LEGAL, signs=("number",)),  # with --words
    "hold review": _may(_COMPLIANCE, _LEGAL, signs=("number",)),
    "hold release": _may(_COMPLIANCE, _LEGAL, signs=("number",)),
    "hold reindex": _may(_COMPLIANCE, _LEGAL, _CUSTODIAN),
    # Referrals: who judges cases judges what others tell us; who answers for it, answers those who told us.
    "referral add": _may(_ANALYST, _LEAD, _COMPLIANCE, token=True),
    "referral show": _may(_ANALYST, _LEAD, _COMPLIANCE, _LEGAL, signs=("referral",)),
    "referral decide": _may(_ANALYST, _LEAD, signs=("referral",)),
    "referral reopen": _may(_ANALYST, _LEAD, _COMPLIANCE, signs=("referral",)),
    "referral answer": _may(_LEAD, _COMPLIANCE, signs=("referral",)),
    "request add": _may(_COMPLIANCE, _LEGAL),
    "request answer": _may(_COMPLIANCE, _LEGAL, signs=("number",)),
    "request list": _may(_COMPLIANCE, _LEGAL),  # what was found inside is nobody else's
    # How long it is kept: longer takes two, and sooner than the law nobody can.
    "retention extend": _may(_COMPLIANCE, _LEGAL, signs=("reference", "until", "review")),
    "retention review": _may(_COMPLIANCE, _LEGAL, signs=("number", "again")),
    "retention decide": _may(_COMPLIANCE, _LEGAL, signs=("reference", "review")),
    "retention propose": _may(_COMPLIANCE, _LEGAL, token=True),
    "retention confirm": _may(_COMPLIANCE, _LEGAL, signs=("number", "references")),
    "retention withdraw": _may(_COMPLIANCE, _LEGAL, signs=("number",)),
    "retention adopt-policy": _may(_COMPLIANCE, _LEGAL, signs=("cap", "until")),
    "retention end-policy": _may(_COMPLIANCE, _LEGAL),
    "retention rules": _may(_COMPLIANCE, _LEGAL, signs=("apply",)),  # with --apply
    # Evidence: who judges it may look, and each look says what for; who checks it sees nothing of it.
    "evidence open": _may(_ANALYST, _LEAD, _LEGAL, signs=("where", "purpose", "extent")),
    "evidence viewed": _may(_ANALYST, _LEAD, _LEGAL, signs=("where", "purpose", "extent", "at")),
    "evidence request-open": _may(_ANALYST, _LEAD, _LEGAL, signs=("where", "purpose")),
    "evidence grant-open": _may(_LEAD, _COMPLIANCE, _LEGAL, signs=("number",)),
    "evidence verify": _may(_COMPLIANCE, _AUDITOR, _CUSTODIAN, token=True, signs=("where",)),
    "evidence destroy": _may(_COMPLIANCE, _LEGAL, signs=("where",)),
    "case destroy": _may(_COMPLIANCE, _LEGAL, signs=("reference", "basis")),
    # What leaves under a legal demand: one asks, another approves; writing it carries out what both signed.
    "export create": _may(_LEGAL, _COMPLIANCE, signs=("reference", "demand")),
    "export approve": _may(_LEGAL, _COMPLIANCE, _LEAD, signs=("export",)),
    "export withdraw": _may(_LEGAL, _COMPLIANCE, _LEAD, signs=("export",)),
    "export show": _may(_LEGAL, _COMPLIANCE, _LEAD, signs=("export",)),
    "export write": _may(_LEGAL, _COMPLIANCE, signs=("export",)),
    "export receipt": _may(_LEGAL, _COMPLIANCE, signs=("export", "sha256")),
    "export seal-key": _may(_CUSTODIAN),
    # To stop is urgent and does no harm; to go on takes those who answer for it.
    "db quarantine": _may(_LEAD, _COMPLIANCE, _CUSTODIAN, _ADMINISTRATOR),
    "db release-quarantine": _may(_LEAD, _COMPLIANCE),
    "alarm ack": _may(_ANALYST, _LEAD, _COMPLIANCE, _CUSTODIAN, _ADMINISTRATOR, token=True, signs=("number",)),
    # The line to an authority.
    "authority status": _may(_LEAD, _COMPLIANCE, _ADMINISTRATOR, token=True, signs=("authority",)),
    "authority schema": _may(_COMPLIANCE, _ADMINISTRATOR, token=True, signs=("authority",)),
    "authority probe": _may(_COMPLIANCE, _ADMINISTRATOR, token=True, signs=("authority",)),
    # Keys and credentials are with custodians, who read nothing and send nothing.
    "secret delete": _may(_CUSTODIAN),
    "secret share": _may(_CUSTODIAN),
    "secret set": _may(_CUSTODIAN),  # a password typed in place of the name must go no further
    "key protect": _may(_CUSTODIAN),
    "key rotate": _may(_CUSTODIAN),
    "key recovery-kit": _may(_CUSTODIAN),
    # People: nobody appoints anybody alone, and anybody who may appoint can suspend alone.
    "actor found": _may(_ADMINISTRATOR, _COMPLIANCE, signs=("change",)),
    "actor enrol": _may(_ADMINISTRATOR, _COMPLIANCE, signs=("change",)),
    "actor roles": _may(_ADMINISTRATOR, _COMPLIANCE, signs=("change",)),
    "actor enable": _may(_ADMINISTRATOR, _COMPLIANCE, signs=("change",)),
    "actor approve": _may(_ADMINISTRATOR, _COMPLIANCE, signs=("change",)),
    "actor suspend": _may(_LEAD, _COMPLIANCE, _LEGAL, _CUSTODIAN, _ADMINISTRATOR, signs=("handle",)),
}

_SHOWS = "shows references, states and times, which whoever can open the home can read"
_CARRIES_OUT = "carries out what people have decided, and can decide nothing"
_MACHINE = "is about this machine; it needs the home's own files, or is run before there is anybody to prove"
#: Commands that need nobody, and why.
FREE: Final[Mapping[str, str]] = {
    "demo": _MACHINE,
    "init": _MACHINE,
    "doctor": _SHOWS,
    "sandbox": _MACHINE,
    "db upgrade": _MACHINE,
    "db status": _SHOWS,
    "deliver": _CARRIES_OUT,
    "worker": _CARRIES_OUT,
    "job list": _SHOWS,
    "job run": _CARRIES_OUT,
    "case list": _SHOWS,
    "case check": _SHOWS,
    "case schema": _SHOWS,
    "delivery list": _SHOWS,
    "task list": _SHOWS,
    "board": _SHOWS,
    "alarm list": _SHOWS,
    "alarm check": _CARRIES_OUT,
    "alarm test": "sends a test message and changes nothing",
    "secret list": _SHOWS,
    "key status": _SHOWS,
    "recover": "takes two custodians of a recovery kit, each with an identity of their own",
    "demand list": _SHOWS,
    "hold list": _SHOWS,
    "referral list": _SHOWS,
    "retention show": _SHOWS,
    "retention due": _SHOWS,
    "retention batches": _SHOWS,
    "retention policy": _SHOWS,
    "retention certificate": _SHOWS,
    "evidence list": _SHOWS,
    "evidence views": _SHOWS,
    "evidence certificate": _SHOWS,
    "export list": _SHOWS,
    "export certificate": _SHOWS,
    "verify": "reads a bundle and needs no home",
    "audit list": _SHOWS,
    "audit show": _SHOWS,
    "audit verify": _SHOWS,
    "audit prove": _SHOWS,
    "audit key": _SHOWS,
    "audit checkpoint": "signs the log as it is, and can change nothing in it",
    "actor key": _MACHINE,
    "actor list": _SHOWS,
    "actor show": _SHOWS,
    "actor verify": _SHOWS,
}

#: Roles that nobody should have together, and why.
CONFLICTS: Final[tuple[tuple[Role, Role, str], ...]] = (
    (_ADMINISTRATOR, _ANALYST, "who appoints people should not judge cases"),
    (_ADMINISTRATOR, _LEAD, "who appoints people should not approve what is sent"),
    (_ADMINISTRATOR, _CUSTODIAN, "who appoints people should not hold the keys"),
    (_CUSTODIAN, _ANALYST, "who holds the keys should not read cases"),
    (_CUSTODIAN, _LEAD, "who holds the keys should not approve what is sent"),
    *((_AUDITOR, role, "who checks should not act") for role in Role if role is not _AUDITOR),
)


def conflicts(roles: frozenset[Role]) -> list[str]:
    """Say which of these roles should not be one person's, and why."""
    return [f"{one} and {other}: {why}" for one, other, why in CONFLICTS if {one, other} <= roles]
