"""The verdict of a run as documents: `verdict.json`, and JUnit XML for CI systems."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from tidemark.invariants.judge import EXIT_CODES, Verdict, verdict_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tidemark.errors import ExitCode
    from tidemark.history.folder import RunFolder
    from tidemark.invariants.judge import Judgement
    from tidemark.report.assessment import Assessment


def document(run: Assessment, ended: tuple[ExitCode, str | None] | None = None) -> dict[str, Any]:
    """The verdict as JSON: everything that is drawn or compared of a run is taken from it.

    Args:
        run: What is known of it.
        ended: Its exit code and why, if more than the verdict decided it.
    """
    verdict = verdict_of(run.judgements)
    code, reason = ended or (EXIT_CODES[verdict], run.unread)
    return {
        "run": run.folder.manifest["run"],
        "verdict": verdict.value if run.judgements else None,
        "exit_code": int(code),
        "reason": reason,
        "invariants": [
            {
                "id": one.invariant.id,
                "name": one.invariant.name,
                "verdict": one.verdict.value,
                "claimed": one.is_claimed,
                "evidence": [asdict(seen) for seen in one.evidence],
                "violations": one.count,
                "counterexamples": [asdict(example) for example in one.counterexamples],
                "reasons": list(one.reasons),
            }
            for one in run.judgements
        ],
        "lateness": None if run.lateness is None else asdict(run.lateness),
        "figures": None if run.measurement is None else run.measurement.as_json(),
    }


def summarise(judgements: Sequence[Judgement]) -> list[str]:
    """The verdict in a few lines: what does not hold, and how many invariants do."""
    if not judgements:
        return []
    by_verdict: dict[Verdict, list[str]] = {}
    for one in judgements:
        by_verdict.setdefault(one.verdict, []).append(one.invariant.id)
    counted = ", ".join(
        f"{len(ids)} {verdict}" for verdict, ids in by_verdict.items() if verdict is Verdict.HOLDS
    )
    others = "; ".join(
        f"{verdict} {', '.join(ids)}"
        for verdict, ids in by_verdict.items()
        if verdict is not Verdict.HOLDS
    )
    unknown = [one for one in judgements if one.verdict is Verdict.UNKNOWN]
    reasons = said_once((one.invariant.id, one.reasons) for one in unknown)
    lines = [f"Verdict: {verdict_of(judgements)} ({'; '.join(filter(None, [counted, others]))})"]
    for one in judgements:
        if one.verdict is Verdict.VIOLATED:
            lines.append(
                f"  {one.invariant.id} {one.invariant.name}: {one.counterexamples[0].what}"
            )
        elif one.verdict is Verdict.UNKNOWN:
            lines.append(f"  {one.invariant.id} {one.invariant.name}: {reasons[one.invariant.id]}")
    return lines


def said_once(reasons: Iterable[tuple[str, Sequence[str]]]) -> dict[str, str]:
    """Why invariants are unknown, by id; a reason of many, such as a torn file, is said once.

    Args:
        reasons: Their ids and reasons, in the order in which they are shown.
    """
    said: dict[str, str] = {}
    first: dict[str, str] = {}
    for identifier, why in reasons:
        text = "; ".join(why)
        said[identifier] = f"as {first[text]}" if text in first else text
        first.setdefault(text, identifier)
    return said


def junit(folder: RunFolder, judgements: Sequence[Judgement]) -> str:
    """The verdict as JUnit XML: an invariant is a test case; unknown is an error, no failure.

    Args:
        folder: The run.
        judgements: What the judge said.
    """
    verdicts = [one.verdict for one in judgements]
    suite = ET.Element(
        "testsuite",
        name=f"tidemark check {folder.manifest['run']}",
        tests=str(len(judgements)),
        failures=str(verdicts.count(Verdict.VIOLATED)),
        errors=str(verdicts.count(Verdict.UNKNOWN)),
        skipped=str(verdicts.count(Verdict.NOT_EXERCISED)),
    )
    for one in judgements:
        case = ET.SubElement(
            suite,
            "testcase",
            classname="tidemark.invariants",
            name=f"{one.invariant.id} {one.invariant.name}",
        )
        match one.verdict:
            case Verdict.VIOLATED:
                first = one.counterexamples[0]
                failure = ET.SubElement(case, "failure", message=first.what, type="violated")
                failure.text = "\n".join(str(asdict(example)) for example in one.counterexamples)
            case Verdict.UNKNOWN:
                ET.SubElement(case, "error", message="; ".join(one.reasons), type="unknown")
            case Verdict.NOT_EXERCISED:
                ET.SubElement(case, "skipped", message="not exercised by this run")
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
