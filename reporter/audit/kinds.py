"""Every kind of event in the custody log, and what it says; the documentation prints this table."""

from __future__ import annotations

from collections.abc import Mapping

#: The leaf that says which records are gone; its own is never destroyed.
DESTROYED = "records_destroyed"

KINDS: Mapping[str, str] = {
    # cases
    "case_added": "A case was handed in.",
    "case_imported": "A case was made from an authority's own document.",
    "case_revised": "A case was handed in again with other content.",
    "case_pending": "A revision put the case back to waiting for its confirmation.",
    "case_confirmed": "A revision confirmed the case.",
    "case_not_confirmed": "A revision says that the case is not confirmed.",
    "case_closed": "A case was closed.",
    "document_read": "Somebody read the case document.",
    "evidence_sealed": "An evidence item was sealed; its digests stand in the detail.",
    "views_added": "Looks that took place elsewhere were taken over from a case document.",
    "source_removed": "The unsealed file that was handed in was removed.",
    # looks, integrity and destruction
    "evidence_open_asked": "Somebody asked another person to let them open an item once.",
    "evidence_open_granted": "Another person granted one opening of an item.",
    "evidence_opened": "Somebody is about to get an item's plaintext; the purpose stands in the detail.",
    "evidence_closed": "An opening ended; how, and the extent that the person states, stand in the detail.",
    "evidence_open_failed": "An opening ended because the item is not what was sealed.",
    "evidence_viewed": "A tool that shows evidence told of a look; purpose and extent stand in the detail.",
    "verification_begun": "Items are being read back, to see that they are what was sealed.",
    "verification_finished": "All of a run were read back; how many are not as they should be stands in the detail.",
    "evidence_damaged": "An item was found not to be as it should be; what it is stands in the detail.",
    "destruction_proposed": "One person proposed to destroy an item.",
    "destruction_decided": "Another person confirmed it: the item is being destroyed.",
    "destruction_recalled": "A destruction that this database had forgotten was taken over from its tombstone.",
    "evidence_key_destroyed": "The wrapped key of an item was removed from the key store.",
    "evidence_object_destroyed": "The sealed object of an item was removed from the object store.",
    "evidence_destroyed": "An item is destroyed; the digest of its certificate stands in the detail.",
    "case_destruction_proposed": "One person proposed to destroy a whole case.",
    "case_destruction_decided": "Another person confirmed it: the case is being destroyed, with every item.",
    "case_destruction_recalled": "A case's destruction that this database had forgotten was taken over.",
    "case_key_destroyed": "The wrapped key of a case was removed from the key store; its bodies are noise.",
    "case_destroyed": "A case is destroyed; the digest of its certificate stands in the detail.",
    # who is named
    "contact_added": "Somebody is protected from now on; their kind and by how many things they are known again.",
    "contact_removal_proposed": "One person proposed that a contact is protected no more.",
    "contact_removed": "Another person agreed: the contact is protected no more.",
    "naming_proposed": "One person wrote why a contact of ours is named in a case; the digest of what it is about.",
    "naming_allowed": "Another person wrote so too, and the contact may be named; the digest of what it is about.",
    # demands and holds
    "demand_recorded": "A legal demand was recorded; its kind and who demands stand in the detail.",
    "demand_verified": "Another person made sure that a demand is genuine; how stands in the detail.",
    "demand_closed": "A demand was answered, refused or withdrawn.",
    "hold_placed": "Somebody placed a hold; how many cases it reaches stands in the detail.",
    "case_held": "A hold reached this case when it was placed.",
    "hold_renewed": "The request behind a hold was renewed: it stands longer.",
    "hold_reviewed": "Somebody looked at a hold and said that it is still needed.",
    "hold_release_asked": "One person asked for the release of a hold.",
    "hold_released": "Another person agreed: the hold is released.",
    "case_released": "A hold that reached this case was released; others may stand.",
    "legal_refused": "Something about demands, holds or retention was refused; by what rule stands in the detail.",
    # submissions
    "submission_approval": "One person approved what would be sent; its digest stands in the detail.",
    "submission_accepted": "The authority has it: there is a receipt.",
    "submission_rejected": "The authority refused it.",
    "submission_in_doubt": "Nobody knows whether the authority has it.",
    "submission_attention": "It cannot go on without a person.",
    "submission_withdrawn": "A person withdrew it.",
    "submission_ready": "It waits for approval.",
    "submission_approved": "It has its approvals and waits to be delivered.",
    # remote calls
    "call_intended": "A remote call is about to be made.",
    "call_concluded": "A remote call was made; its outcome and code stand in the detail.",
    "call_answered_late": "A worker whose lease had passed on brought an answer.",
    "forgotten_call_answered": "An answer came to a call that the database had forgotten.",
    # what people decide and read
    "decision_proposed": "One person proposed how to settle what no call can settle.",
    "decision_made": "The people it takes have settled what no call can settle.",
    "words_read": "Somebody read an authority's own words or people's reasons.",
    # tasks
    "task_opened": "Something must be done by a person; what, and by whose clock, stands in the detail.",
    "task_clock": "An open task got another clock.",
    "task_proposed": "One person said that a task is done or not needed.",
    "task_closed": "A task is over; how stands in the detail.",
    # authorities
    "lane_paused": "Deliveries to an authority stopped until somebody mends what it refuses.",
    "lane_resumed": "Deliveries to an authority go on.",
    "circuit_opened": "An authority that does not answer was left to rest.",
    "circuit_closed": "An authority that did not answer is back.",
    "schema_fetched": "An authority's schema was fetched.",
    "assumptions_probed": "An authority's test system was asked what its adapter assumes.",
    # the database and alarms
    "quarantine_imposed": "All deliveries stopped: the database may have forgotten something.",
    "quarantine_release_proposed": "One person proposed to let deliveries go on.",
    "quarantine_released": "Deliveries go on.",
    "alarm_acknowledged": "Somebody heard an alarm.",
    # people
    "act_proven": "Somebody enrolled signed what they did; the digest of the statement.",
    "actor_found_proposed": "One of the two people whom the register begins with proposed both.",
    "actor_enrol_proposed": "One person proposed to enrol somebody, or to give somebody a new proof.",
    "actor_roles_proposed": "One person proposed other roles for somebody.",
    "actor_enable_proposed": "One person proposed that somebody suspended may act again.",
    "actors_founded": "The register of people began: roles and fingerprints.",
    "actor_enrolled": "Two people enrolled somebody, or gave somebody a new proof: roles and fingerprints.",
    "actor_roles_changed": "Two people gave somebody other roles.",
    "actor_enabled": "Two people let somebody act again.",
    "actor_suspended": "One person suspended somebody, at once.",
    # the house itself
    "configuration_seen": "A machine opened the home for the first time; the digest of its configuration.",
    "configuration_changed": "A machine opened the home with another configuration; the keys that changed.",
    "keyring_locked": "What locks the local keyring was changed; to what stands in the detail.",
    "key_rotation_begun": "Somebody had a new version of the root key made.",
    "key_rotation_finished": "Every wrap was looked at; how many were wrapped again stands in the detail.",
    "recovery_kit_made": "A recovery kit was written; its digest and whom it is for stand in the detail.",
    "home_recovered": "The home was rebuilt from a recovery kit; its digest stands in the detail.",
    "credential_set": "A credential was set; its name and environment.",
    "credential_deleted": "A credential was removed; its name and environment.",
    DESTROYED: "The records behind the listed leaves were destroyed; the leaves stay.",
}
