"""The aws target: an AWS account, by the caller's own credentials. Nothing there is by accident."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from botocore.exceptions import BotoCoreError, ProfileNotFound
from botocore.session import Session

from tidemark.api.shown import shown_url
from tidemark.aws.caller import asks_for_a_code, caller_in
from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import Connection, endpoint_variables
from tidemark.errors import NotStartedError, TidemarkError
from tidemark.targets import aws_log_role
from tidemark.targets.base import Preparation, Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tidemark.aws.caller import Caller
    from tidemark.targets.base import TargetOptions

ACCOUNT_VARIABLE = "TIDEMARK_AWS_ACCOUNT"


class AwsTarget(Target):
    """An AWS account. It is never chosen by `auto`, and asks before it changes anything."""

    name: ClassVar[str] = "aws"
    summary: ClassVar[str] = "an AWS account, by your own credentials"
    is_ours: ClassVar[bool] = False
    asks_first: ClassVar[bool] = True

    def __init__(self, options: TargetOptions) -> None:
        super().__init__(options)
        self._account = options.settings.get("account")
        self._caller: Caller | None = None

    @property
    def region(self) -> str:
        """The region: where a deployment is recorded to be, else the caller's.

        Raises:
            NotStartedError: The caller names none, or a profile that is not there.
        """
        recorded = self.options.settings.get("region")
        found = recorded or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        try:
            found = found or Session().get_config_variable("region")
        except ProfileNotFound as error:
            raise NotStartedError(f"{error}: correct AWS_PROFILE.") from error
        if not found:
            raise NotStartedError(
                "AWS needs a region: set AWS_REGION, or a profile that names one (AWS_PROFILE)."
            )
        return str(found)

    @property
    def identity(self) -> str:
        """Who the credentials belong to, as an ARN; known once the target was found."""
        return "unknown" if self._caller is None else self._caller.identity.arn

    @property
    def settings(self) -> Mapping[str, str]:
        """Account and region, so that no other pair is ever taken for them."""
        return {"account": self._account, "region": self.region} if self._account else {}

    def check(self) -> None:
        """Refuse surroundings in which calls might go elsewhere than is shown; calls nothing.

        Raises:
            NotStartedError: The sentence says what is in the way.
        """
        if given := endpoint_variables():
            raise NotStartedError(
                f"{', '.join(given)} would send AWS calls elsewhere: unset it, or take "
                "TARGET=endpoint for an emulator."
            )
        # With both, boto3 takes one and the CDK the other: whose account is meant, nobody knows.
        for other in ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"):
            if os.environ.get(other) and _profile_variables():
                raise NotStartedError(
                    f"{other} and {_profile_variables()[0]} are both set, and not every program "
                    "takes the same: unset one."
                )
        if len({os.environ[name] for name in _profile_variables()}) > 1:
            raise NotStartedError(
                "AWS_PROFILE and AWS_DEFAULT_PROFILE name different profiles: unset one."
            )
        profile = _profile()
        if "endpoint_url" in profile or "services" in profile:
            raise NotStartedError(
                "The AWS profile has an endpoint_url or services of its own, which would send "
                "calls elsewhere: choose another with AWS_PROFILE."
            )
        if asks_for_a_code(Session()) and not sys.stdin.isatty():
            raise NotStartedError(
                "The AWS profile asks for an MFA code and this is no terminal: log in before, and "
                "take a profile with that session."
            )
        if os.environ.get(ACCOUNT_VARIABLE) == "":
            # Where it comes from somebody meant to name one: taken for unset, any would do.
            raise NotStartedError(
                f"{ACCOUNT_VARIABLE} is set and names no account: name one, or unset it."
            )
        _ = self.region

    @property
    def expected_account(self) -> str | None:
        """The only account that will do, if somebody said so."""
        wanted = os.environ.get(ACCOUNT_VARIABLE)
        recorded = self.options.settings.get("account")
        if wanted and recorded and wanted != recorded:
            raise NotStartedError(
                f"The stack is recorded in account {recorded}, and {ACCOUNT_VARIABLE} is {wanted}: "
                "choose another state folder or correct the variable."
            )
        return wanted or recorded

    def start(self) -> Connection:
        """Ask AWS who the caller is, and refuse any account but the expected one.

        This is the one way to AWS: no client of it is made without the caller that is found here.
        """
        self.check()
        region = self.region
        if self._caller is None:
            self._caller = caller_in(region)
        self._caller.confirm()
        account = self._caller.identity.account
        if self.expected_account not in {None, account}:
            raise NotStartedError(
                f"These credentials are of account {account} where {self.expected_account} is "
                "expected: nothing was changed."
            )
        self._account = account
        return self._connection(self._caller, region)

    def find(self) -> Connection | None:
        """How to reach it; ``None`` when AWS does not answer, or not for these credentials."""
        try:
            return self.start()
        except NotStartedError:
            raise
        except TidemarkError:
            return None

    def stop(self) -> bool:
        """Leave it alone: it is not ours."""
        return False

    def reach(self, endpoint: str | None, region: str) -> Connection:
        """The connection to a region of the account, once AWS said whose it is.

        Raises:
            NotStartedError: It is another account than the expected one.
            TidemarkError: AWS does not answer.
        """
        if endpoint is not None:
            raise NotStartedError(
                f"{shown_url(endpoint)} is no AWS: TARGET=endpoint is for emulators."
            )
        if self._caller is None:
            self.start()
        return self._connection(cast("Caller", self._caller), region)

    def _connection(self, caller: Caller, region: str) -> Connection:
        bundle = Session().get_config_variable("ca_bundle")
        return Connection(
            region=region,
            account=caller.identity.account,
            ca_bundle=None if bundle is None else Path(bundle),
            caller=caller,
        )

    def preparations(self, connection: Connection) -> Sequence[Preparation]:
        """The account-wide role with which API Gateway writes logs, where there is none."""
        return aws_log_role.preparations(AwsClients(connection))

    def versions(self) -> Mapping[str, str]:
        """Nothing: AWS has none."""
        return {}

    def keep_log(self, path: Path) -> None:
        """Nothing: AWS has no log of its own."""

    def api_url(self, connection: Connection, rest_api_id: str, stage: str) -> str:
        """The public URL of a REST API; see :meth:`Target.api_url`."""
        is_in_china = connection.region.startswith("cn-")
        domain = "amazonaws.com.cn" if is_in_china else "amazonaws.com"
        return f"https://{rest_api_id}.execute-api.{connection.region}.{domain}/{stage}"


def _profile_variables() -> list[str]:
    return [name for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE") if os.environ.get(name)]


def _profile() -> Mapping[str, object]:
    """What the shared config files say of the profile in use."""
    session = Session()
    try:
        found: Mapping[str, object] = session.get_scoped_config()
    except ProfileNotFound as error:
        raise NotStartedError(f"{str(error).rstrip('.')}: correct AWS_PROFILE.") from error
    except BotoCoreError as error:
        raise NotStartedError(
            f"{str(error).rstrip('.')}: correct it, or name another one in AWS_CONFIG_FILE."
        ) from error
    return found
