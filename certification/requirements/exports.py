"""The result for other tools: canonical JSON, SARIF 2.1.0, ReqIF 1.2, JUnit.

Rules of this file:

*   A document is a function of the judgement: the same judgement gives the same bytes, and the only
    time in it is the one at which the outcomes were recorded.
*   JSON is the whole; the others say what their readers understand of it. SARIF has a result for
    each finding. ReqIF has an object for each requirement and a relation to its parent. JUnit has a
    case for each low-level requirement; one that was not run is skipped, which is not passed.
*   Written with the standard library; a text of ours cannot break out of a document.

ReqIF: the header's version is the format's, which the 1.2 document keeps at 1.0, as it keeps the
namespace of 2011.

Not here: the page for people (``matrix.py``).
"""

import json
from collections import Counter
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from certification.requirements.catalogue import GROUPS, ROOT_PARENT, Catalogue
from certification.requirements.gates import (
    FAILING,
    GATES,
    HOLDS,
    NOT_RUN,
    UNTESTED,
    VERIFIED,
    Judgement,
    Shown,
)
from certification.requirements.links import Link
from certification.requirements.outcomes import Outcomes

SCHEMA = 1
TOOL = "certification.requirements"
REQIF = "http://www.omg.org/spec/ReqIF/20110401/reqif.xsd"
NO_TIME = "1970-01-01T00:00:00+00:00"


def _link(link: Link) -> dict[str, Any]:
    return {"file": link.file, "line": link.line, "where": link.where}


def _requirement(shown: Shown) -> dict[str, Any]:
    one = shown.requirement
    return {
        "id": one.id,
        "text": one.text,
        "parent": one.parent,
        "children": list(shown.children),
        "level": one.level,
        "method": list(one.method),
        "source": one.source,
        "rationale": one.rationale,
        "file": f"certification/requirements/{one.file}",
        "line": one.line,
        "status": shown.status,
        "code": [_link(link) for link in shown.code],
        "spec": [_link(link) for link in shown.spec],
        "marked": [_link(link) for link in shown.marked],
        "tests": dict(shown.tests),
    }


def document(catalogue: Catalogue, judgement: Judgement, outcomes: Outcomes) -> dict[str, Any]:
    """Return the whole judgement as plain data."""
    every = catalogue.requirements.values()
    run = not outcomes.missing
    low = [one for one in judgement.shown.values() if one.requirement.low]
    stati = Counter(one.status for one in low)
    return {
        "schema": SCHEMA,
        "ok": judgement.status == HOLDS,
        "status": judgement.status,
        "reason": judgement.reason,
        "total": len(catalogue.requirements),
        "high": sum(not one.low for one in every),
        "low": len(low),
        "kernel": sum(one.id.startswith("KRN-") for one in every),
        "by_group": dict(Counter(one.group for one in every)),
        "verified": stati[VERIFIED] if run else None,
        "untested": stati[UNTESTED] + stati[NOT_RUN] if run else None,
        "failing": judgement.count("failing") if run else None,
        "unnamed_by_tests": sum(
            "test" in one.requirement.method and not one.marked and not one.tests for one in low
        ),
        "orphans": judgement.count("orphan"),
        "unrefined": judgement.count("unrefined"),
        "dangling": judgement.count("dangling"),
        "uncarried": judgement.count("uncarried"),
        "tests": {
            "executed": len(outcomes.tests),
            **Counter(test.outcome for test in outcomes.tests.values()),
        },
        "also_failed": sorted(name for name, test in outcomes.tests.items() if test.also_failed),
        "links": dict(judgement.links),
        "catalogue": catalogue.sha256,
        "started": outcomes.started,
        "finished": outcomes.finished,
        "findings": [
            {"gate": f.gate, "subject": f.subject, "text": f.text, "file": f.file, "line": f.line}
            for f in judgement.findings
        ],
        "requirements": [_requirement(one) for one in judgement.shown.values()],
    }


def canonical(data: Any) -> str:
    """Return JSON whose bytes follow from the data."""
    return json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def sarif(judgement: Judgement) -> dict[str, Any]:
    """Return the findings as a SARIF 2.1.0 log."""
    rules = list(GATES)
    return {
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": TOOL,
                        "rules": [
                            {
                                "id": gate,
                                "shortDescription": {"text": text},
                                "defaultConfiguration": {"level": "error"},
                            }
                            for gate, text in GATES.items()
                        ],
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": not judgement.reason,
                        "toolExecutionNotifications": [
                            {"level": "warning", "message": {"text": judgement.reason}}
                        ]
                        if judgement.reason
                        else [],
                    }
                ],
                "originalUriBaseIds": {"ROOT": {"description": {"text": "the project's folder"}}},
                "results": [
                    {
                        "ruleId": finding.gate,
                        "ruleIndex": rules.index(finding.gate),
                        "level": "error",
                        "message": {"text": f"{finding.subject}: {finding.text}"},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {
                                        "uri": finding.file,
                                        "uriBaseId": "ROOT",
                                    },
                                    "region": {"startLine": max(1, finding.line)},
                                }
                            }
                        ],
                    }
                    for finding in judgement.findings
                ],
            }
        ],
    }


def _xml(root: Element) -> str:
    indent(root)
    text = tostring(root, encoding="unicode", xml_declaration=False)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def junit(judgement: Judgement) -> str:
    """Return the low-level requirements as JUnit's cases, a suite for each group."""
    low = [one for one in judgement.shown.values() if one.requirement.low]
    root = Element("testsuites", name=TOOL)
    for group in GROUPS:
        its = [one for one in low if one.requirement.group == group]
        if not its:
            continue
        stati = Counter(one.status for one in its)
        suite = SubElement(
            root, "testsuite", name=group, tests=str(len(its)), errors="0",
            failures=str(stati[FAILING] + stati[UNTESTED]), skipped=str(stati[NOT_RUN]),
        )  # fmt: skip
        for one in its:
            case = SubElement(suite, "testcase", classname=group, name=one.requirement.id)
            bad = [f"{name}: {said}" for name, said in one.tests.items() if said != "passed"]
            if one.status in (FAILING, UNTESTED):
                fault = SubElement(case, "failure", message=one.status)
                fault.text = "\n".join([one.requirement.text, *bad])
            elif one.status == NOT_RUN:
                SubElement(case, "skipped", message=judgement.reason or NOT_RUN)
    for name in ("tests", "failures", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    return _xml(root)


# The attributes of a requirement in ReqIF: identifier of the definition, its name in tools.
_ATTRIBUTES = {
    "ad-id": "ReqIF.ForeignID",
    "ad-text": "ReqIF.Text",
    "ad-level": "Level",
    "ad-method": "Method",
    "ad-source": "Source",
    "ad-rationale": "Rationale",
    "ad-status": "Status",
    "ad-code": "Code",
    "ad-spec": "Models",
    "ad-tests": "Tests",
}


def _values(shown: Shown) -> dict[str, str]:
    one = shown.requirement

    def places(links: tuple[Link, ...]) -> str:
        return "; ".join(f"{link.file}:{link.line} {link.where}".strip() for link in links)

    return {
        "ad-id": one.id,
        "ad-text": one.text,
        "ad-level": one.level,
        "ad-method": ", ".join(one.method),
        "ad-source": one.source,
        "ad-rationale": one.rationale,
        "ad-status": shown.status,
        "ad-code": places(shown.code),
        "ad-spec": places(shown.spec),
        "ad-tests": "; ".join(f"{name}: {outcome}" for name, outcome in shown.tests.items()),
    }


def reqif(judgement: Judgement, outcomes: Outcomes) -> str:
    """Return the requirements as one ReqIF document: objects, relations, one specification."""
    changed = outcomes.finished or NO_TIME
    root = Element("REQ-IF", xmlns=REQIF)
    header = SubElement(SubElement(root, "THE-HEADER"), "REQ-IF-HEADER", IDENTIFIER="header")
    for tag, text in (
        ("CREATION-TIME", changed), ("REPOSITORY-ID", "dolphin-nautilus"), ("REQ-IF-TOOL-ID", TOOL),
        ("REQ-IF-VERSION", "1.0"), ("SOURCE-TOOL-ID", TOOL), ("TITLE", "Requirements"),
    ):  # fmt: skip
        SubElement(header, tag).text = text
    content = SubElement(SubElement(root, "CORE-CONTENT"), "REQ-IF-CONTENT")

    def part(parent: Element, tag: str, identifier: str, name: str = "", **more: str) -> Element:
        named = {"LONG-NAME": name} if name else {}
        fields = {"IDENTIFIER": identifier, "LAST-CHANGE": changed, **named, **more}
        return SubElement(parent, tag, fields)

    def refer(parent: Element, tag: str, kind: str, identifier: str) -> None:
        SubElement(SubElement(parent, tag), f"{kind}-REF").text = identifier

    types = SubElement(content, "DATATYPES")
    part(types, "DATATYPE-DEFINITION-STRING", "dt-text", "Text", **{"MAX-LENGTH": "1000000"})
    types = SubElement(content, "SPEC-TYPES")
    kind = part(types, "SPEC-OBJECT-TYPE", "ot-requirement", "Requirement")
    attributes = SubElement(kind, "SPEC-ATTRIBUTES")
    for identifier, name in _ATTRIBUTES.items():
        attribute = part(attributes, "ATTRIBUTE-DEFINITION-STRING", identifier, name)
        refer(attribute, "TYPE", "DATATYPE-DEFINITION-STRING", "dt-text")
    part(types, "SPEC-RELATION-TYPE", "rt-refines", "refines")
    part(types, "SPECIFICATION-TYPE", "st-requirements", "Requirements")

    objects = SubElement(content, "SPEC-OBJECTS")
    for name, shown in judgement.shown.items():
        one = part(objects, "SPEC-OBJECT", f"so-{name}", name)
        refer(one, "TYPE", "SPEC-OBJECT-TYPE", "ot-requirement")
        values = SubElement(one, "VALUES")
        for identifier, text in _values(shown).items():
            value = SubElement(values, "ATTRIBUTE-VALUE-STRING", {"THE-VALUE": text})
            refer(value, "DEFINITION", "ATTRIBUTE-DEFINITION-STRING", identifier)

    relations = SubElement(content, "SPEC-RELATIONS")
    for name, shown in judgement.shown.items():
        parent = shown.requirement.parent
        if parent == ROOT_PARENT or parent not in judgement.shown:
            continue
        relation = part(relations, "SPEC-RELATION", f"sr-{name}")
        refer(relation, "TYPE", "SPEC-RELATION-TYPE", "rt-refines")
        refer(relation, "SOURCE", "SPEC-OBJECT", f"so-{name}")
        refer(relation, "TARGET", "SPEC-OBJECT", f"so-{parent}")

    specification = part(
        SubElement(content, "SPECIFICATIONS"), "SPECIFICATION", "sp-requirements", "Requirements"
    )
    refer(specification, "TYPE", "SPECIFICATION-TYPE", "st-requirements")

    def hang(above: Element, name: str) -> None:
        place = part(above, "SPEC-HIERARCHY", f"sh-{name}")
        refer(place, "OBJECT", "SPEC-OBJECT", f"so-{name}")
        children = [one for one in judgement.shown[name].children if one in judgement.shown]
        if children:
            below = SubElement(place, "CHILDREN")
            for child in children:
                hang(below, child)

    tops = SubElement(specification, "CHILDREN")
    for name, shown in judgement.shown.items():
        if shown.requirement.parent not in judgement.shown:
            hang(tops, name)
    return _xml(root)
