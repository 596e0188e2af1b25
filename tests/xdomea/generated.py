"""Hypothesis strategies for messages: every object of the model, with and without its optional parts."""

from typing import Any

from hypothesis import strategies as st

from adapters.xdomea import message as msg
from adapters.xdomea import model
from adapters.xdomea.contacts import Address, AddressLines, Contact, Reachability
from adapters.xdomea.nodes import Code
from adapters.xdomea.versions import KINDS, Family, family, header_code

# Letters of DIN 91379 that go beyond Latin-1, some of them only as a base with combining marks.
DIN_91379 = "ÄÖÜäöüßẞÆØÅŁłŒœŠšŽžČčĐđĞğİıŐőŰűŞşȘșȚțŊŋƏəẀẁẼẽỲỳ–—„“’‚…€ "
DIN_91379_SEQUENCES = ["A̋", "C̀", "C̄", "D̲", "ạ̈", "k̲", "L̥̄", "m̂", "M̂", "ọ̈", "ụ̈", "Z̧", "s̱", "ʾ", "ʿ"]
LETTERS = st.one_of(
    st.sampled_from(DIN_91379),
    st.sampled_from(DIN_91379_SEQUENCES),
    st.characters(min_codepoint=32, max_codepoint=0x17F, exclude_categories=("Cc", "Cs")),
    st.sampled_from("<>&\"'\t\n]]>"),
)
texts = st.lists(LETTERS, max_size=12).map("".join)
uuids = st.uuids(version=4).map(str)
dates = st.dates().map(str)
times = st.times().map(lambda value: value.replace(microsecond=0).isoformat())
instants = st.datetimes().map(lambda value: value.replace(microsecond=0).isoformat())
flags = st.booleans()


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def few(strategy: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[Any]:
    return st.lists(strategy, min_size=least, max_size=max(least, 2))


def codes(*values: str) -> st.SearchStrategy[Code]:
    return st.builds(Code, st.sampled_from(values), maybe(st.just("Bezeichnung")))


class Generator:
    """Strategies for one family of versions."""

    def __init__(self, of: Family) -> None:
        self.old = of is Family.V2

    def since3(self, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.none() if self.old else maybe(strategy)

    def listed3(self, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.just([]) if self.old else few(strategy)

    def metadata(self) -> st.SearchStrategy[model.Metadata]:
        return st.builds(
            model.Metadata,
            subject=maybe(texts),
            reference=maybe(texts),
            lead_unit=maybe(texts),
            keeping_unit=self.since3(texts),
            confidentiality=maybe(codes("001", "002", "003", "004", "005")),
            note=maybe(texts),
            medium=maybe(codes("001", "002", "003")),
            filing_unit=maybe(
                st.builds(
                    model.FilingUnit,
                    reference=texts,
                    content=maybe(texts),
                    short_subject=self.since3(texts),
                )
            ),
        )

    def disposal(self) -> st.SearchStrategy[model.Disposal]:
        years = st.integers(0, 999).map(str)
        return st.builds(
            model.Disposal,
            retention_years=years,
            decision=maybe(codes("A", "B", "V")),
            mark=maybe(texts),
            proposal=maybe(codes("A", "V")),
            retention_end=maybe(st.integers(1900, 2999).map(str) if self.old else dates),
        )

    def contact(self) -> st.SearchStrategy[Contact]:
        channel = (
            codes("001", "012")
            if self.old
            else st.just(Code("01", None, "urn:de:xoev:codeliste:erreichbarkeit", "3"))
        )
        return st.builds(
            Contact,
            authority_key=maybe(codes("10041100")),
            institution=maybe(texts),
            institution_short=maybe(texts),
            unit=maybe(texts),
            salutation=maybe(texts),
            family_name=maybe(texts),
            given_name=maybe(texts),
            occupation=maybe(texts),
            addresses=few(
                st.builds(Address, street=texts, place=maybe(texts), kind=maybe(codes("001", "002", "003")))
            ),
            reachable=few(
                st.builds(
                    Reachability,
                    official=maybe(flags),
                    channel=channel,
                    value=maybe(texts),
                    of_institution=self.since3(flags),
                )
            ),
            role=maybe(codes("frei")),
            address_lines=few(st.builds(AddressLines, line1=texts, line6=maybe(texts))),
            born=maybe(dates),
        )

    def format(self) -> st.SearchStrategy[model.Format]:
        code = (
            codes("018", "100")
            if self.old
            else st.just(Code("018", None, "urn:xoev-de:xdomea:codeliste:dateiformat", "1.0"))
        )
        return st.builds(
            model.Format,
            format=code,
            other_format=maybe(texts),
            format_version=texts,
            file_name=st.builds("{}_{}.pdf".format, uuids, st.sampled_from(["", "Übersicht", "a b"])),
            original_name=self.since3(texts),
            author=maybe(texts),
            at=maybe(instants),
            signature_embedded=self.since3(st.just(True)),
        )

    def document(self, depth: int = 1) -> st.SearchStrategy[model.Document]:
        attachments = few(self.document(depth - 1)) if depth else st.just([])
        return st.builds(
            model.Document,
            id=uuids,
            number_in_parent=maybe(st.integers(0, 9999).map(str)),
            metadata=maybe(self.metadata()),
            foreign_reference=maybe(texts),
            received_on=maybe(dates),
            dated=maybe(dates),
            about=maybe(texts),
            editor=maybe(texts),
            type=maybe(texts),
            history=few(self.history()),
            versions=few(st.builds(model.Version, number=texts, formats=few(self.format(), 1))),
            links=few(
                st.builds(model.Link, id=maybe(uuids), kind=codes("001", "003"), reference=maybe(texts))
            ),
            attachments=attachments,
            senders=few(self.contact()),
            extensions=few(self.extension()),
        )

    def history(self) -> st.SearchStrategy[model.HistoryEntry]:
        return st.builds(
            model.HistoryEntry, name=maybe(texts), old=maybe(texts), actor=texts, at=instants, action=texts
        )

    def extension(self) -> st.SearchStrategy[model.Extension]:
        fields = few(
            st.builds(model.CustomField, name=texts, data_type=maybe(codes("001", "038")), value=maybe(texts))
        )
        group = st.builds(model.FieldGroup, name=texts, description=texts, fields=fields)
        return st.builds(
            model.Extension,
            key=texts,
            name=texts,
            version_date=maybe(dates),
            groups=few(group),
            fields=fields,
        )

    def circulation(self) -> st.SearchStrategy[model.Circulation]:
        order = st.builds(
            model.Order,
            author=self.contact(),
            addressee=self.contact(),
            date=dates,
            time=times,
            order=maybe(texts),
            due_date=maybe(dates),
        )
        handling = st.builds(
            model.Handling, editor=self.contact(), date=dates, time=times, remark=maybe(texts)
        )
        step = st.builds(
            model.Step,
            number=texts,
            status=codes("001", "002", "003", "004"),
            order=order,
            handling=maybe(handling),
        )
        return st.builds(model.Circulation, id=uuids, steps=few(step, 1))

    def record(self, depth: int = 1) -> st.SearchStrategy[model.Record]:
        return st.builds(
            model.Record,
            id=uuids,
            metadata=maybe(self.metadata()),
            disposal=maybe(self.disposal()),
            file_subject=maybe(texts),
            closed=maybe(flags),
            closed_on=self.since3(dates),
            begin=maybe(dates),
            end=maybe(dates),
            history=few(self.history()),
            circulations=st.lists(self.circulation(), max_size=1),
            documents=few(self.document(0)),
            contacts=few(self.contact()),
            records=few(self.record(depth - 1)) if depth else st.just([]),
            extensions=st.lists(self.extension(), max_size=1),
        )

    def file(self, depth: int = 1) -> st.SearchStrategy[model.File]:
        return st.builds(
            model.File,
            id=uuids,
            metadata=maybe(self.metadata()),
            disposal=maybe(self.disposal()),
            location=maybe(texts),
            begin=maybe(dates),
            # Up to 2.4 a file holds documents or records, not both.
            documents=st.just([]) if self.old else few(self.document(0)),
            records=few(self.record(0)),
            files=few(self.file(depth - 1)) if depth else st.just([]),
            closed=self.since3(flags),
            closed_on=self.since3(dates),
            extensions=st.lists(self.extension(), max_size=1),
        )

    def objects(self, least: int = 1) -> st.SearchStrategy[list[model.FiledObject]]:
        return few(st.one_of(self.file(), self.record(), self.document()), least)

    def result(self, whole: bool) -> st.SearchStrategy[msg.ImportResult]:
        return st.builds(
            msg.ImportResult,
            object_id=st.none() if whole else uuids,
            succeeded=flags,
            errors=st.lists(texts, max_size=1),
        )

    def body(self, code: str) -> dict[str, st.SearchStrategy[Any]]:
        whole = self.result(whole=True)
        imported: dict[str, st.SearchStrategy[Any]] = {"result": whole} if self.old else {}
        match code:
            case "0101" | "0401":
                return {"objects": self.objects(), "letters": st.lists(self.document(), max_size=1)}
            case "0501" | "0503":
                return {"objects": self.objects(), "letters": few(self.document())}
            case "0201":
                return {
                    "main_documents": few(self.document(), 1),
                    "circulation": self.circulation(),
                    "annexes": self.objects(0),
                }
            case "0203":
                step = st.builds(msg.ChangedStep, number=texts, new=st.just(True))
                return {"changed_circulation": self.circulation(), "changed_steps": few(step, 1)}
            case "0502":
                appraisal = st.builds(msg.Appraisal, object_id=uuids, decision=codes("A", "B", "V"))
                return {"appraisals": few(appraisal, 1)}
            case "0402":
                return imported or {"handed_over": few(self.result(whole=False), 1)}
            case "0506":
                return imported or {"transferred": few(self.result(whole=False), 1)}
            case _:
                return {}


def messages(code: str, version: str) -> st.SearchStrategy[msg.Message]:
    """Make messages of one type in one version."""
    of = family(version)
    made = Generator(of)
    receipt = code in ("0101", "0501", "0502") or (code in ("0401", "0503") and of is not Family.V2)
    return st.builds(
        msg.Message,
        version=st.just(version),
        element=st.just(KINDS[code].element),
        process_id=uuids,
        type=st.just(Code(header_code(code))),
        created=instants,
        sender=made.contact(),
        recipient=made.contact(),
        system=st.builds(msg.System, instance=maybe(texts), product=texts),
        note=maybe(texts),
        extensions=st.lists(made.extension(), max_size=1),
        receipt_wanted=flags if receipt else st.none(),
        import_wanted=st.just(True) if code in ("0401", "0503") else st.none(),
        archive_mark_wanted=flags if code == "0503" else st.none(),
        receipt_to_initiator=flags if code == "0201" else st.none(),
        receipt_to_predecessor=flags if code == "0201" else st.none(),
        **made.body(code),
    )
