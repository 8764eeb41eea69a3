"""Where credentials can come from: AWS as far as it is asked for them, and a person's settings."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.credentials import SSOProvider
from botocore.exceptions import ClientError
from botocore.tokens import SSOTokenProvider

from acceptance.aws.conftest import ACCOUNT, REGION
from tidemark import targets
from tidemark.aws.connection import Connection, for_children
from tidemark.targets.base import TargetOptions

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SECRET = "s3cret"
ROLE = "arn:aws:iam::123456789012:role/deployer"


def ends_in(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Aws:
    """STS and SSO, as far as finding credentials asks them; keys begin with their account."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.account = ACCOUNT
        self.role_for_minutes = 60.0
        self.renewals = 0
        self.refuses: str | None = None

    def role_keys(self) -> dict[str, str]:
        self.renewals += 1
        return {
            "AccessKeyId": f"ASIA{self.renewals}",
            "SecretAccessKey": SECRET,
            "SessionToken": "token",
            "Expiration": ends_in(self.role_for_minutes),
        }

    def __call__(self, client: Any, operation: str, arguments: Any) -> Any:
        self.asked.append(operation)
        if operation == self.refuses:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)
        match operation:
            case "GetCallerIdentity":
                return {
                    "Account": self.account,
                    "Arn": f"arn:aws:sts::{self.account}:assumed-role/deployer/me",
                    "UserId": f"AROA{self.account}:me{self.renewals}",
                }
            case "AssumeRole" | "AssumeRoleWithWebIdentity":
                assert arguments["RoleArn"] == ROLE
                return {"Credentials": self.role_keys(), "AssumedRoleUser": {"Arn": ROLE}}
            case "GetRoleCredentials":
                keys = self.role_keys()
                ends = (datetime.now(UTC) + timedelta(minutes=self.role_for_minutes)).timestamp()
                return {
                    "roleCredentials": {
                        "accessKeyId": keys["AccessKeyId"],
                        "secretAccessKey": SECRET,
                        "sessionToken": "token",
                        "expiration": int(ends * 1000),
                    }
                }
        raise AssertionError(f"{client} was asked {operation}")


class Home:
    """A person's settings."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.setenv("AWS_REGION", REGION)
        # botocore asked for the home folder when it was imported.
        self.logins = folder / ".aws" / "sso" / "cache"
        for provider in (SSOProvider, SSOTokenProvider):
            monkeypatch.setattr(provider, "_SSO_TOKEN_CACHE_DIR", str(self.logins))

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)

    def write(self, text: str) -> None:
        (self.folder / "aws-config").write_text(text)

    def start(self) -> Connection:
        return targets.create("aws", TargetOptions(state=self.folder)).start()


def keys_of_children(connection: Connection) -> dict[str, str]:
    """All that a child knows of AWS."""
    env = for_children(connection)
    assert [name for name in env if name.startswith(("AWS_CONTAINER", "AWS_WEB", "AWS_PROF"))] == []
    assert env["AWS_CONFIG_FILE"] == env["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert env["AWS_EC2_METADATA_DISABLED"] == "true"
    assert env["AWS_REGION"] == env["AWS_DEFAULT_REGION"] == REGION
    assert env["AWS_SECRET_ACCESS_KEY"] == SECRET
    return env


def write_role(home: Home, more: str = "") -> None:
    home.write(
        f"[profile work]\nrole_arn = {ROLE}\nsource_profile = base\n{more}"
        f"[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = {SECRET}\n"
    )
    home.set(AWS_PROFILE="work")


def write_sso(home: Home, login_for_minutes: float = 60) -> None:
    home.write(
        "[profile work]\nsso_session = us\nsso_account_id = 123456789012\nsso_role_name = dev\n"
        "[sso-session us]\nsso_start_url = https://us.awsapps.com/start\nsso_region = eu-west-1\n"
    )
    home.set(AWS_PROFILE="work")
    home.logins.mkdir(parents=True)
    name = hashlib.sha1(b"us").hexdigest()  # noqa: S324 -- the name that the AWS CLI gives it
    (home.logins / f"{name}.json").write_text(
        json.dumps({"accessToken": "login", "expiresAt": ends_in(login_for_minutes)})
    )


def write_program(home: Home, document: dict[str, str]) -> None:
    answer = home.folder / "answer.json"
    answer.write_text(json.dumps(document))
    home.write(
        "[profile work]\ncredential_process = "
        f'{sys.executable} -c "print(open({str(answer)!r}).read())"\n'
    )
    home.set(AWS_PROFILE="work")


def said(key: str, minutes: float) -> dict[str, Any]:
    return {
        "Version": 1,
        "AccessKeyId": key,
        "SecretAccessKey": SECRET,
        "SessionToken": "token",
        "Expiration": ends_in(minutes),
    }
