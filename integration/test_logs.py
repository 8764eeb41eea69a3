"""Logs tell what happened to a command, and never who asked or with what secret."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.credentials import Credentials

from integration.accounts import accepted
from integration.facts import await_projected
from tidemark.workloads import bank
from tidemark.workloads.bank_items import command_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.accounts import Names
    from integration.lines import LogReader
    from integration.site import Site
    from tidemark.api.client import Client

SIGNATURE = re.compile(r"AWS4-HMAC-SHA256|Signature=|X-Amz-Security-Token", re.IGNORECASE)


def test_no_log_has_a_signature_or_a_token(
    client: Client, site: Site, names: Names, logged: LogReader
) -> None:
    keys = site.aws.sts.get_session_token()["Credentials"]
    token = keys["SessionToken"]
    credentials = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], token)
    client = replace(client, credentials=credentials)
    account_id = names.account()
    opened = accepted(client.run(bank.open_account(account_id=account_id, owner_id=names.owner())))
    assert client.run(bank.withdraw(account_id, 5)).status == 422
    await_projected(site.tables, [opened])
    assert client.run(bank.account(account_id, min_version=1)).status == 200
    # All of it is in the logs by now, or the search would prove nothing.
    logged.await_line("command-handler", event_id=opened.event_id)
    logged.await_line("command-handler", outcome="insufficient-funds")
    logged.await_line("update-processor", event_id=opened.event_id, outcome="applied")
    logged.await_line("query-handler", outcome="answered")

    groups = set()
    for group, line in all_lines(site, since_ms=logged.since_ms):
        groups.add(group)
        assert token not in line, (group, line)
        assert not SIGNATURE.search(line), (group, line)
    assert len(groups) >= 3


def test_a_command_can_be_followed_by_its_ids_through_the_logs(
    site: Site, names: Names, logged: LogReader
) -> None:
    account_id, key = names.account(), names.key("k")
    opened = accepted(
        site.client.run(bank.open_account(account_id=account_id, owner_id=names.owner()), key=key)
    )

    named = command_id(site.principal, key)
    taken = logged.await_line("command-handler", command_id=named, outcome="accepted")
    applied = logged.await_line("update-processor", command_id=named, outcome="applied")

    for line in (taken, applied):
        assert (line["event_id"], line["account_id"], line["version"]) == (
            opened.event_id,
            account_id,
            1,
        )


def all_lines(site: Site, *, since_ms: int) -> Iterator[tuple[str, str]]:
    """Every line in every log group of the target, with the group."""
    logs = site.aws.logs
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for events in logs.get_paginator("filter_log_events").paginate(
                logGroupName=name, startTime=since_ms
            ):
                yield from ((name, event["message"]) for event in events["events"])
