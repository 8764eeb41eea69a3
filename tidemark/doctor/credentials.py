"""AWS credentials: whether there are any, and of what kind. Never what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from tidemark.aws import Clients
from tidemark.doctor.finding import Finding, lacking, well
from tidemark.environment import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_NAME = "AWS credentials"
_DEFAULT_REGION = "us-east-1"
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
        fix = "log in (`aws sso login`, `aws configure`) or set AWS_PROFILE"
        return lacking(_NAME, "none in files and variables", fix, is_needed=False)
    if not found:
        return well(_NAME, "none; only TARGET=aws needs them")
    return well(_NAME, f"present: {', '.join(dict.fromkeys(found))}; not asked whether they work")


def endpoints(environ: Mapping[str, str], *, is_needed: bool) -> Iterator[Finding]:
    """The variables that would send calls for AWS elsewhere, which that target refuses."""
    names = sorted(name for name in environ if name.startswith("AWS_ENDPOINT_URL"))
    if names:
        yield lacking(
            "AWS endpoint",
            f"{', '.join(names)} is set",
            "unset it for TARGET=aws, which refuses it; the other targets never see it",
            is_needed=is_needed,
        )


def asked(environ: Mapping[str, str], clients: Any = None) -> Finding:
    """Who the credentials are, as AWS says: the one call that leaves the machine.

    Args:
        environ: The environment.
        clients: The AWS clients, made when absent.
    """
    name = "AWS account"
    if any(one.startswith("AWS_ENDPOINT_URL") for one in environ):
        fix = "unset the AWS_ENDPOINT_URL variables"
        return lacking(name, "not asked: it would not be AWS that answers", fix, is_needed=True)
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or _DEFAULT_REGION
    try:
        sts = (clients or Clients(Connection(region=region))).sts
        account = sts.get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        fix = "log in (`aws sso login`, `aws configure`) or set AWS_PROFILE"
        return lacking(name, f"{error}", fix, is_needed=True)
    expected = environ.get("TIDEMARK_AWS_ACCOUNT")
    if expected not in (None, "", account):
        fix = "change AWS_PROFILE or TIDEMARK_AWS_ACCOUNT"
        return lacking(name, f"{account}, where {expected} is wanted", fix, is_needed=True)
    return well(name, f"{account} in {region}")
