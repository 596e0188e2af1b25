"""How each family spells a message: its header and what it carries."""

from adapters.xdomea.contacts import Contact
from adapters.xdomea.layout.rows import (
    Table,
    choices,
    code,
    flag,
    inside,
    only,
    part,
    parts,
    text,
    until3,
)
from adapters.xdomea.message import Appraisal, ChangedStep, FilingPlan, ImportResult, System
from adapters.xdomea.model import BundledDocument, Circulation, Document, Extension, File, Record

_OBJECTS = {"Akte": File, "Vorgang": Record, "Dokument": Document}
_EXTENSIONS = "AnwendungsspezifischeErweiterung"

MESSAGE: Table = (
    inside(
        until3("Kopf"),
        text("process_id", "ProzessID"),
        code("type", "Nachrichtentyp"),
        text("created", "Erstellungszeitpunkt"),
        part("sender", "Absender", Contact),
        part("recipient", "Empfaenger", Contact),
        part("system", "SendendesSystem", System),
        text("note", "Hinweis"),
        parts("extensions", _EXTENSIONS, Extension),
        parts("further_recipients", "WeitererEmpfaenger", Contact),
        flag("import_wanted", "Importbestaetigung"),
        flag("archive_mark_wanted", "RueckmeldungArchivkennung"),
        flag("receipt_wanted", "Empfangsbestaetigung"),
        flag("receipt_to_initiator", "EmpfangsbestaetigungAnInitiator"),
        flag("receipt_to_predecessor", "EmpfangsbestaetigungAnVorgaenger"),
    ),
    inside(
        only(4, "nachrichtenkopf"),
        inside(
            "identifikation.nachricht",
            text("message_id", "{}nachrichtenUUID"),
            code("type", "{}nachrichtentyp"),
            text("created", "{}erstellungszeitpunkt"),
        ),
        part("recipient", "leser", Contact),
        part("sender", "autor", Contact),
        text("process_id", "ProzessID"),
        text("instance", "InstanzID"),
        text("note", "Hinweis"),
        parts("extensions", _EXTENSIONS, Extension),
    ),
    parts("further_recipients", only(4, "WeitererLeser"), Contact),
    flag("import_wanted", only(4, "Importbestaetigung")),
    flag("archive_mark_wanted", only(4, "RueckmeldungArchivkennung")),
    flag("receipt_wanted", only(4, "Empfangsbestaetigung")),
    text("answers_message", only(4, "UUIDUrsprungsnachricht")),
    text("sequence", only(4, "LfdNrNachrichtProTyp")),
    text("sequence_total", only(4, "GesamtanzahlNachrichtenProTyp")),
    parts("letters", until3("Anschreiben"), Document),
    choices(
        "letters",
        only(4, "Anschreiben"),
        {"Dokument": Document, "DokumentMitSchriftstueck": BundledDocument},
    ),
    choices("objects", "Schriftgutobjekt", _OBJECTS),
    inside(until3("Hauptobjekt"), parts("main_documents", "Dokument", Document)),
    part("circulation", until3("ExternerGeschaeftsgang"), Circulation),
    part("changed_circulation", until3("GeaenderterGeschaeftsgang"), Circulation),
    parts("changed_steps", until3("GeaenderterBeteiligungsschritt"), ChangedStep),
    choices("annexes", until3("Anlage"), _OBJECTS),
    parts("appraisals", until3("BewertetesObjekt"), Appraisal),
    parts("appraisals", only(4, "BewertetesSGO"), Appraisal),
    part("result", {2: "ErfolgOderMisserfolg", 4: "ErfolgOderMisserfolg"}, ImportResult),
    parts("handed_over", only(3, "AbgegebenesObjekt"), ImportResult),
    parts("transferred", {3: "AusgesondertesSGO", 4: "AusgesondertesSGO"}, ImportResult),
    parts("filing_plans", "Aktenplan", FilingPlan),
)
