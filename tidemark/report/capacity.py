"""What a search for capacity found: the headline, the curve, and why it ended there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemark.load.capacity import found_by
from tidemark.load.sustained import Limit
from tidemark.percentiles import brief

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemark.load.capacity_log import CapacityLog
    from tidemark.load.sustained import Tried

_SIDES = ("write", "read")
_DIGEST_DIGITS = 8


def as_json(log: CapacityLog) -> dict[str, Any]:
    """Return what was found, and each step, as a JSON object."""
    return log.as_json() | {
        "headline": headline(log),
        "measured": measured(log),
        "endings": list(endings(log)),
        "curve": curve(log),
        "found": {profile: _found(log, profile) for profile in log.wanted.profiles},
    }


def headline(log: CapacityLog) -> str:
    """Return the sentence that says what the target sustains, and under which conditions."""
    rates = " and ".join(_rates(log, profile) for profile in log.wanted.profiles)
    known = {name for one in log.tried for name in one.measures}
    bounds = ", ".join(
        f"{name.removesuffix('_ms').replace('_', ' ')} <= {bound:g} ms"
        for name, bound in log.wanted.bounds.items()
        if name.endswith("_ms") and name in known
    )
    return (
        f"{rates} with {bounds}, every claimed invariant holding: on {log.target}, {measured(log)}"
    )


def measured(log: CapacityLog) -> str:
    """Return when it was searched, on what kind of machine, and the versions that took part."""
    versions = ", ".join(f"{name} {version}" for name, version in told(log.versions).items())
    digest = log.template_digest[:_DIGEST_DIGITS]
    return f"{log.date}, {log.cores} cores, {versions}, template {digest}"


def endings(log: CapacityLog) -> Iterator[str]:
    """Yield, for each profile, where an invariant was violated, and why it is not more."""
    for profile in log.wanted.profiles:
        tried = log.of(profile)
        found = found_by(log.steps(profile))
        yield from (_failed(one) for one in tried if one.is_violated and one.rate != found.ceiling)
        if found.ceiling is None:
            if tried:
                most = max(one.rate for one in tried)
                yield f"{profile}: {most:g} calls/s was sustained, and no more was tried."
            continue
        failed = next(one for one in tried if one.limit is not None and one.rate == found.ceiling)
        yield _failed(failed)
        if found.rate is not None and not found.is_repeated:
            yield f"{profile}: {found.rate:g} calls/s passed, and was not repeated."


def _failed(one: Tried) -> str:
    return f"{one.profile}: {one.rate:g} calls/s failed (run {one.run}): {one.why}."


def curve(log: CapacityLog) -> list[list[str]]:
    """Return the headings of a table, and a row for each step, by rate."""
    rows = [
        [
            "profile",
            "offered/s",
            "done/s",
            *(f"{side} p50 · p99" for side in (*_SIDES, "lag")),
            "verdict",
        ]
    ]
    for profile in log.wanted.profiles:
        rows += [
            [
                profile,
                f"{one.rate:g}",
                f"{one.writes_per_s + one.reads_per_s:.1f}",
                *(_pair(one.measures, name) for name in (*_SIDES, "lag")),
                "sustained" if one.limit is None else f"limit: {one.limit}",
            ]
            for one in sorted(log.of(profile), key=lambda one: one.rate)
        ]
    return rows


def _found(log: CapacityLog, profile: str) -> dict[str, Any]:
    found = found_by(log.steps(profile))
    passes = _passes(log, profile)
    return {
        "rate": found.rate,
        "ceiling": found.ceiling,
        "is_repeated": found.is_repeated,
        "is_least": _is_least(log, profile),
        "writes_per_s": min((one.writes_per_s for one in passes), default=None),
        "reads_per_s": min((one.reads_per_s for one in passes), default=None),
        "measures": passes[-1].measures if passes else {},
    }


def _rates(log: CapacityLog, profile: str) -> str:
    passes = _passes(log, profile)
    if not passes:
        return f"nothing of {profile}"
    per_s = {
        "writes": min(one.writes_per_s for one in passes),
        "reads": min(one.reads_per_s for one in passes),
    }
    told = " with ".join(f"{brief(value)} {name}/s" for name, value in per_s.items() if value)
    least = "at least " if _is_least(log, profile) else ""
    return f"{least}{told}{'' if profile in _SIDES else f' ({profile})'}"


def _passes(log: CapacityLog, profile: str) -> list[Tried]:
    """Return the steps at the rate that was found."""
    rate = found_by(log.steps(profile)).rate
    return [one for one in log.of(profile) if one.rate == rate]


def _is_least(log: CapacityLog, profile: str) -> bool:
    """Tell whether the target might take more: nothing failed but the generator, or its machine."""
    ceiling = found_by(log.steps(profile)).ceiling
    limits = {one.limit for one in log.of(profile) if one.rate == ceiling and one.limit}
    return limits <= {Limit.GENERATOR, Limit.SHARED_CORES}


def told(versions: Mapping[str, str]) -> dict[str, str]:
    """Return the versions that a figure depends on, and not those of what deployed it."""
    return {
        name: version
        for name, version in versions.items()
        if not name.startswith("aws-cdk") and name not in {"boto3", "python", "image", "image id"}
    }


def _pair(measures: Mapping[str, float], side: str) -> str:
    if f"{side}_p99_ms" not in measures:
        return "-"
    return f"{brief(measures[f'{side}_p50_ms'])} · {brief(measures[f'{side}_p99_ms'])}"
