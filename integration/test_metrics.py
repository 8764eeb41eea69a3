"""`tidemark metrics` has the stack's own metrics on every target, extracted there or not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from integration.accounts import accepted
from integration.facts import await_projected
from tidemark.cli import known
from tidemark.cli import metrics as verb
from tidemark.host.waiting import NotYetError, eventually
from tidemark.workloads import bank

if TYPE_CHECKING:
    import pytest

    from integration.accounts import Names
    from integration.site import Site
    from tidemark.targets.base import Target

_LOGGED_WITHIN_S = 40.0


def test_commands_and_their_projection_lag_are_counted(
    site: Site,
    target: Target,
    names: Names,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(known, "choose", lambda *_: (site.deployment, target))
    account_id = names.account()
    opened = accepted(
        site.client.run(bank.open_account(account_id=account_id, owner_id=names.owner()))
    )
    deposited = accepted(site.client.run(bank.deposit(account_id, 8)))
    await_projected(site.tables, [opened, deposited])

    def probe() -> tuple[dict[str, Any], dict[str, Any]]:
        capsys.readouterr()
        verb.metrics(as_json=True)
        found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["metrics"]}
        counts = {name: one["count"] for name, one in found.items()}
        if min(counts.get("CommandsAccepted", 0), counts.get("ProjectionLag", 0)) < 2:
            raise NotYetError(str(counts))
        return found["CommandsAccepted"], found["ProjectionLag"]

    counted, lag = eventually(probe, within_s=_LOGGED_WITHIN_S, what="both metrics to be logged")

    for one in (counted, lag):
        assert one["namespace"] == "Tidemark"
        assert one["dimensions"] == {"stack": site.deployment.stack_name}
    assert (counted["unit"], counted["sum"] >= 2) == ("Count", True)
    assert lag["unit"] == "Milliseconds"
    assert 0 <= lag["min"] <= lag["p50"] <= lag["p99"] <= lag["max"]
