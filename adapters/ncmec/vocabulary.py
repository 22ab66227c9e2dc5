"""
The controlled words of the CyberTipline schema, each beside the case document's word for it.

Source: the published XML schema of the CyberTipline Reporting API, November 2025.
"""

from __future__ import annotations

INCIDENT_TYPES = {
    "csam": "Child Pornography (possession, manufacture, and distribution)",
    "child_sex_trafficking": "Child Sex Trafficking",
    "child_sex_tourism": "Child Sex Tourism",
    "child_sexual_molestation": "Child Sexual Molestation",
    "misleading_domain_name": "Misleading Domain Name",
    "misleading_words_or_images": "Misleading Words or Digital Images on the Internet",
    "online_enticement": "Online Enticement of Children for Sexual Acts",
    "unsolicited_obscene_material": "Unsolicited Obscene Material Sent to a Child",
}
REPORT_ANNOTATIONS = {
    "sextortion": "sextortion",
    "csam_solicitation": "csamSolicitation",
    "minor_to_minor_interaction": "minorToMinorInteraction",
    "spam": "spam",
    "sadistic_online_exploitation": "sadisticOnlineExploitation",
    "informational": "informational",
}
FILE_ANNOTATIONS = {
    "anime_drawing_virtual_hentai": "animeDrawingVirtualHentai",
    "potential_meme": "potentialMeme",
    "viral": "viral",
    "possible_self_production": "possibleSelfProduction",
    "physical_harm": "physicalHarm",
    "violence_gore": "violenceGore",
    "bestiality": "bestiality",
    "live_streaming": "liveStreaming",
    "infant": "infant",
    "generative_ai": "generativeAi",
}
BATCH_REASONS = {"viral_potential_meme": "VIRAL_POTENTIAL_MEME"}
EVENTS = {
    "login": "Login",
    "registration": "Registration",
    "purchase": "Purchase",
    "upload": "Upload",
    "other": "Other",
    "unknown": "Unknown",
}
ADDRESS_TYPES = {
    "home": "Home",
    "business": "Business",
    "billing": "Billing",
    "shipping": "Shipping",
    "technical": "Technical",
}
EMAIL_TYPES = {"home": "Home", "work": "Work", "business": "Business", "recovery": "Recovery"}
PHONE_TYPES = {
    "mobile": "Mobile",
    "home": "Home",
    "business": "Business",
    "work": "Work",
    "fax": "Fax",
    "internet": "Internet",
    "recovery": "Recovery",
}
ASSOCIATED_ACCOUNT_TYPES = {
    "billing": "Billing",
    "linked": "Linked",
    "business": "Business",
    "creator": "Creator",
    "parent_guardian": "Parent/Guardian",
    "other": "Other",
}
RELEVANCES = {"reported": "Reported", "supplemental": "Supplemental Reported"}
CLASSIFICATIONS = {"A1": "A1", "A2": "A2", "B1": "B1", "B2": "B2"}
METADATA_TYPES = {"exif": "EXIF", "hash": "HASH"}

#: Codes that the schema lists beside ISO 3166-1, although the documentation asks for ISO 3166-1 alone.
COUNTRIES_BESIDE_ISO = frozenset({"A1", "A2", "O1", "AN", "AP", "EU", "FX", "XK"})
_COUNTRIES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
    JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
    TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
_STATES = """
    AK AL AR AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH
    OK OR PA PR RI SC SD TN TX UT VA VI VT WA WI WV WY
"""
#: Both lists allow the empty word.
COUNTRIES = frozenset(_COUNTRIES.split()) | COUNTRIES_BESIDE_ISO | {""}
STATES = frozenset(_STATES.split()) | {""}
