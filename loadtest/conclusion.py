"""The end of a load run, out of its folder: the export, the verdict, its figures, its exit code."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tidemark.errors import ExitCode, TidemarkError
from tidemark.history.finishing import finish
from tidemark.history.folder import RunFolder
from tidemark.history.places import VERDICT
from tidemark.history.recorder import RecordingError
from tidemark.host.state import write_json
from tidemark.invariants.judge import verdict_of
from tidemark.invariants.views import connect
from tidemark.load import ending
from tidemark.load.answering import see_that_it_answers
from tidemark.report import run_page
from tidemark.report.assessment import assess, count
from tidemark.report.table import REPORT, Report, report_console

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.workloads.workload import Workload


def conclude(
    path: Path,
    deployment: Deployment,
    clients: AwsClients,
    workload: Workload,
    *,
    within_s: float | None,
    is_interrupted: bool = False,
    gap: str | None = None,
    failure: str | None = None,
) -> Report:
    """Sum a load run up of which nobody makes a call any more, and write that into its folder.

    Args:
        path: The run's folder, with the shards of all who called.
        deployment: Where its calls went.
        clients: The target's.
        workload: What it called.
        within_s: How long to wait for its events to be projected, in seconds; None to neither
            export nor judge it, but measure its calls alone.
        is_interrupted: Whether the user stopped it: it is not waited for, then, nor judged.
        gap: Why its history is not whole, if that is known: what there is is judged all the same.
        failure: What went wrong in the load generator itself.
    """
    assessment = None
    if within_s is not None and not is_interrupted:
        try:
            see_that_it_answers(clients)
            folder = finish(path, deployment, clients, workload, within_s=within_s)
            with connect(folder) as database:
                assessment = assess(database, folder)
        except KeyboardInterrupt:
            is_interrupted = True
        except (RecordingError, OSError) as error:
            gap = str(error).rstrip(".")
        except (TidemarkError, BotoCoreError, ClientError) as error:
            failure = failure or f"the run could not be exported: {str(error).rstrip('.')}"
    assessment = assessment or count(RunFolder.open(path))
    measurement, judgements = assessment.measurement, assessment.judgements
    code, reason = ending.judge(
        measurement.figures if measurement else None,
        verdict_of(judgements) if judgements else None,
        missed=measurement.missed if measurement else (),
        gap="; ".join(filter(None, (gap, assessment.unread))) or None,
        failure=failure,
        is_interrupted=is_interrupted,
    )
    report = Report(assessment, code, reason)
    try:
        write_json(path / VERDICT, report.document())
        write_json(path / REPORT, report.as_json())
    except OSError as error:
        why = f"the report could not be written to {path} ({error.strerror})"
        if code is ExitCode.OK:
            report = report.ending(ExitCode.UNKNOWN, why)
    return report


def show(report: Report, *, is_json: bool) -> None:
    """Print the report on a run, then draw its page.

    Args:
        report: It, as it was concluded.
        is_json: Whether to print one JSON object, and nothing else.
    """
    folder, console = report.assessment.folder, report_console()
    if is_json:
        sys.stdout.write(f"{json.dumps(report.as_json(), indent=2)}\n")
    else:
        report.print(console)
        console.print(f"Written to {folder.path}")
    sys.stdout.flush()
    drawn = _draw(folder)
    if not is_json:
        console.print(drawn)


def _draw(folder: RunFolder) -> str:
    try:
        return f"Drawn: {run_page.write(folder)}"
    # Whatever is wrong with the page, the run has ended as its report says, and that is printed.
    except Exception as error:  # noqa: BLE001
        told = getattr(error, "strerror", None) or str(error) or type(error).__name__
        why = told.rstrip(".")
        return f"No page was drawn ({why}): `tidemark report {folder.path.name}` draws it later."
