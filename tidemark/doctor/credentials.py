"""AWS credentials and settings: whether there are any, and of what kind. Never what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError
from botocore.session import Session

from tidemark.aws.connection import endpoint_variables
from tidemark.doctor.finding import Finding, lacking, well
from tidemark.errors import NotStartedError, TidemarkError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemark.targets.aws import AwsTarget

_NAME = "AWS credentials"
_LOG_IN = "log in (`aws sso login`, `aws configure`) or set AWS_PROFILE"
# The settings of a profile that credentials can come from, and what to call them.
_KINDS = {
    "aws_access_key_id": "keys",
    "sso_session": "SSO",
    "sso_start_url": "SSO",
    "login_session": "console login",
    "credential_process": "a program",
    "web_identity_token_file": "a web identity",
    "role_arn": "a role",
}
_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "keys in the environment",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "a web identity in the environment",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "the container's role",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "the container's role",
}


def present(environ: Mapping[str, str], *, is_needed: bool) -> Finding:
    """Where credentials would come from, as files and variables say it; no call is made.

    Args:
        environ: The environment.
        is_needed: Whether the chosen target is AWS.
    """
    found = [kind for name, kind in _ENVIRONMENT.items() if environ.get(name)]
    try:
        session = Session()
        profiles = session.full_config.get("profiles", {})
    except BotoCoreError as error:
        fix = "correct the AWS configuration files; only TARGET=aws needs them"
        return lacking(_NAME, f"{error}", fix, is_needed=is_needed)
    wanted = environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or "default"
    kinds = {kind for name, kind in _KINDS.items() if name in profiles.get(wanted, {})}
    if kinds:
        found.append(f"profile {wanted} ({', '.join(sorted(kinds))})")
    elif wanted != "default" and wanted not in profiles:
        fix = "correct AWS_PROFILE; only TARGET=aws needs it"
        return lacking(_NAME, f"there is no profile {wanted}", fix, is_needed=is_needed)
    if not found and is_needed:
        fix = f"{_LOG_IN}; where a role of this machine has some, `tidemark doctor --aws` asks"
        return lacking(_NAME, "none in files and variables", fix, is_needed=True)
    if not found:
        return well(_NAME, "none; only TARGET=aws needs them")
    return well(_NAME, f"present: {', '.join(dict.fromkeys(found))}; not asked whether they work")


def endpoints(environ: Mapping[str, str]) -> Iterator[Finding]:
    """The variables that would send calls for AWS elsewhere, for who goes to another target."""
    if names := endpoint_variables(environ):
        yield lacking(
            "AWS endpoint",
            f"{', '.join(names)} is set",
            "unset it for TARGET=aws, which refuses it; the other targets never see it",
            is_needed=False,
        )


def settings(target: AwsTarget) -> Finding:
    """Region, profile, endpoints and account, as `up` judges them; no call is made."""
    name = "AWS settings"
    try:
        target.check()
    except NotStartedError as refused:
        # What is wrong, a colon, and what to do.
        says, _, fix = str(refused).rstrip(".").rpartition(": ")
        return lacking(name, says, fix, is_needed=True)
    return well(name, f"region {target.region}; nothing leads elsewhere")


def ask(target: AwsTarget) -> Finding:
    """Who the credentials are, as AWS says, and as `up` asks: the call that leaves the machine."""
    name = "AWS account"
    try:
        connection = target.start()
    except TidemarkError as error:
        fix = f"{_LOG_IN}, or correct what is named there"
        return lacking(name, str(error).rstrip("."), fix, is_needed=True)
    return well(name, f"{connection.account} in {connection.region}, as {target.identity}")
