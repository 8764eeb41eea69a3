"""Who calls AWS: credentials that are found in one place, and are the same principal's all along.

Programs differ in which of several credentials they take. So they are found once, here, and what
other programs get are the keys themselves, with every other source shut off.
"""

from __future__ import annotations

import os
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.config import Config
from botocore.credentials import Credentials as BotocoreCredentials
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProxyConnectionError,
    SSOError,
    TokenRetrievalError,
)
from botocore.session import Session

from tidemark.aws.connection import Credentials
from tidemark.aws.principals import principal_of
from tidemark.errors import NotStartedError, TidemarkError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.credentials import ReadOnlyCredentials

# Who is asked is known at once, or the network is not there.
_IDENTITY = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
# A deploy may take that long, and the program that deploys cannot renew what it was given.
_LEFT_S = 3600
# A session that a code was typed for is an hour long: nobody is asked again a minute later.
_LEFT_OF_A_CODE_S = 900
_LOGIN_CODES = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
# What is neither who calls nor where to, and is a profile's to say as well.
_SETTINGS = {
    "use_dualstack_endpoint": "AWS_USE_DUALSTACK_ENDPOINT",
    "use_fips_endpoint": "AWS_USE_FIPS_ENDPOINT",
}


class Identity(NamedTuple):
    """Who credentials belong to, as STS says.

    Attributes:
        account: The account.
        arn: The principal, with the name of its session.
        principal: Its unique id, which no new session and no new key changes.
    """

    account: str
    arn: str
    principal: str


class Caller:
    """The one principal that calls AWS; whatever its keys are renewed to is checked again.

    Args:
        region: Where STS is asked.

    Raises:
        NotStartedError: There are no credentials, or not whole ones.
        TidemarkError: They cannot be had, or AWS does not say whose they are.
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self._checking = threading.RLock()
        self._source, self.settings = self._find()
        self._seen = _keys(self._source)
        self.identity = self._ask(self._seen)

    def keys(self) -> ReadOnlyCredentials:
        """What requests are signed with now.

        Raises:
            NotStartedError: They were renewed, and are somebody else's.
        """
        keys = _keys(self._source)
        if keys != self._seen:
            with self._checking:
                self._confirm(keys)
        return keys

    def confirm(self) -> None:
        """Ask AWS once more who this is.

        Raises:
            NotStartedError: Somebody else.
            TidemarkError: AWS does not say.
        """
        with self._checking:
            self._confirm(_keys(self._source))

    def snapshot(self) -> Credentials:
        """The keys for a program that cannot renew them; AWS is asked once more whose they are.

        Raises:
            NotStartedError: They are somebody else's by now, or end within the hour and cannot be
                renewed.
            TidemarkError: AWS does not say whose they are.
        """
        with self._checking:
            enough_s = _LEFT_OF_A_CODE_S if asks_for_a_code(Session()) else _LEFT_S
            if _ends_within(self._source, enough_s):
                renewed, _ = self._find()
                if _keys(renewed) == _keys(self._source):
                    raise NotStartedError(
                        "These credentials end within the hour and cannot be renewed from here, "
                        "which may be too short for a deploy: log in again."
                    )
                self._source = renewed
            keys = _keys(self._source)
            self._confirm(keys)
        return Credentials(str(keys.access_key), str(keys.secret_key), keys.token)

    def _confirm(self, keys: ReadOnlyCredentials) -> None:
        found = self._ask(keys)
        if (found.account, found.principal) != (self.identity.account, self.identity.principal):
            raise NotStartedError(
                f"The credentials are by now those of {found.arn} in account {found.account}, and "
                f"began as those of {self.identity.arn}: nothing is done with them. Run it again."
            )
        self._seen = keys

    def _find(self) -> tuple[BotocoreCredentials, Mapping[str, str]]:
        """Go through the sources of credentials, and what else a profile says."""
        session = Session()
        session.set_config_variable("ignore_configured_endpoint_urls", True)
        session.set_config_variable("region", self._region)
        try:
            found = session.get_credentials()
            if found is None:
                raise NoCredentialsError  # noqa: TRY301 -- said below, with the other ways to have none
            _keys(found)
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise NotStartedError(
                f"There are no AWS credentials{_lacking(error)}: set AWS_PROFILE, or log in (aws "
                "sso login)."
            ) from error
        except (ClientError, BotoCoreError) as error:
            raise TidemarkError(_without_credentials(error)) from error
        settings = {
            variable: "true"
            for name, variable in _SETTINGS.items()
            if session.get_config_variable(name)
        }
        return found, settings

    def _ask(self, keys: ReadOnlyCredentials) -> Identity:
        session = Session()
        session.set_config_variable("ignore_configured_endpoint_urls", True)
        try:
            sts: Any = session.create_client(
                "sts",
                region_name=self._region,
                aws_access_key_id=keys.access_key,
                aws_secret_access_key=keys.secret_key,
                aws_session_token=keys.token,
                config=_IDENTITY,
            )
            said = sts.get_caller_identity()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _LOGIN_CODES:
                raise TidemarkError(
                    f"AWS refuses these credentials ({code}): log in again (aws sso login)."
                ) from error
            raise TidemarkError(
                f"AWS does not say whose credentials these are: {_words(error)}."
            ) from error
        except BotoCoreError as error:
            raise TidemarkError(
                f"AWS in {self._region} cannot be reached: {_words(error)}."
            ) from error
        return Identity(said["Account"], said["Arn"], principal_of(said["UserId"]))


class Signing(BotocoreCredentials):
    """A caller, as botocore and what signs requests take credentials: read anew each time."""

    def __init__(self, caller: Caller) -> None:
        keys = caller.keys()
        super().__init__(str(keys.access_key), str(keys.secret_key), keys.token, method="tidemark")
        self._caller = caller

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """The keys of now; see :meth:`Caller.keys`."""
        return self._caller.keys()


class OnlyCaller:
    """What a botocore session finds its credentials with: the caller, and no other source."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def load_credentials(self) -> BotocoreCredentials:
        """The caller's."""
        return Signing(self._caller)


def caller_in(region: str) -> Caller:
    """Who calls AWS, found once in a process as long as its environment names the same sources.

    Raises:
        NotStartedError: There are no credentials, or not whole ones.
        TidemarkError: They cannot be had, or AWS does not say whose they are.
    """
    named = (item for item in os.environ.items() if item[0].startswith("AWS_") or item[0] == "HOME")
    return _found(region, tuple(sorted(named)))


@cache
def _found(region: str, sources: tuple[tuple[str, str], ...]) -> Caller:  # noqa: ARG001 -- other sources are another caller
    return Caller(region)


def asks_for_a_code(session: Session) -> bool:
    """Whether the profile in use, or one that it builds upon, asks a person for an MFA code.

    Args:
        session: botocore's, whose files can be read.
    """
    if os.environ.get("AWS_ACCESS_KEY_ID"):
        return False  # no profile is in use
    profiles: Mapping[str, Mapping[str, Any]] = session.full_config.get("profiles", {})
    name, seen = session.profile or "default", set[str]()
    while name and name not in seen:
        seen.add(name)
        profile = profiles.get(name, {})
        if "mfa_serial" in profile and "role_arn" in profile:
            return True
        name = profile.get("source_profile", "")
    return False


def _keys(source: BotocoreCredentials) -> ReadOnlyCredentials:
    return source.get_frozen_credentials()


def _ends_within(source: BotocoreCredentials, seconds: int) -> bool:
    """Whether it is known that they end so soon."""
    return isinstance(source, RefreshableCredentials) and source.refresh_needed(seconds)


def _lacking(error: BotoCoreError) -> str:
    return f" ({_words(error)})" if isinstance(error, PartialCredentialsError) else ""


def _without_credentials(error: Exception) -> str:
    """The sentence of credentials that are there and cannot be had."""
    if isinstance(error, (SSOError, TokenRetrievalError)):
        return f"The login at AWS is over ({_words(error)}): log in again (aws sso login)."
    if isinstance(error, ClientError):
        return f"AWS gives no credentials ({_words(error)}): correct the profile, or log in again."
    if isinstance(error, (HTTPClientError, ProxyConnectionError)):
        return f"AWS cannot be reached for credentials: {_words(error)}."
    return (
        f"The credentials cannot be had ({_words(error)}): correct where they come from, or choose "
        "another profile with AWS_PROFILE."
    )


def _words(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
