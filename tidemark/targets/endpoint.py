"""The endpoint target: an emulator that somebody else runs. Stacks on it are ours, it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    ReadTimeoutError,
)
from botocore.loaders import create_loader
from botocore.parsers import ResponseParserError

from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import Connection, keys_for
from tidemark.aws.principals import NOBODY
from tidemark.errors import NotStartedError, TidemarkError
from tidemark.host.waiting import NotSeenError, NotYetError, eventually
from tidemark.targets import emulators
from tidemark.targets.base import EMULATOR_REGION, SilentTargetError, Target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Besides those of the partitions: what is Amazon's alone, functions' and other public names too.
_AWS_DOMAINS = ("aws", "aws.amazon.com", "aws.dev", "amazonaws.com", "awsapps.com")

# Each time that it is asked.
_AT_ONCE = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})


class EndpointTarget(Target):
    """Any AWS emulator at a URL, for example a LocalStack that already runs."""

    name: ClassVar[str] = "endpoint"
    summary: ClassVar[str] = "an emulator that already runs, by its URL"
    is_ours: ClassVar[bool] = False
    takes_endpoint_url: ClassVar[bool] = True

    def start(self) -> Connection:
        """Find it: it is never started from here."""
        endpoint = self._endpoint()
        connection = self.find()
        if connection is None:
            raise TidemarkError(f"No AWS answers at {endpoint}: start it, or correct the URL.")
        return connection

    def find(self) -> Connection | None:
        """How to reach it if it answers as AWS does; see :meth:`Target.find`."""
        if not self.options.endpoint_url:
            return None
        endpoint = self._endpoint()
        try:
            [found] = eventually(
                lambda: (self._ask(endpoint),), within_s=self.patience_s, what="an answer"
            )
        except (NotSeenError, BotoCoreError) as error:
            words = str(error).rstrip(".")
            raise SilentTargetError(
                f"What runs at {endpoint} is not known ({words}): try again when it can be "
                "reached, or correct the URL."
            ) from error
        return found

    def _ask(self, endpoint: str) -> Connection | None:
        """Ask once; ``None`` where there is no AWS, for certain."""
        connection = self.reach(endpoint, EMULATOR_REGION)
        if emulators.refuses(endpoint):
            return None
        try:
            AwsClients(connection).client("sts", _AT_ONCE).get_caller_identity()
        except (ConnectTimeoutError, ReadTimeoutError, ConnectionClosedError) as error:
            raise NotYetError(str(error)) from error
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                _refuse_other_keys(endpoint)
                return None
            raise NotYetError(str(error)) from error
        except ResponseParserError:
            return None
        return connection

    def stop(self) -> bool:
        """Leave it alone: it is not ours."""
        return False

    def reach(self, endpoint: str | None, region: str) -> Connection:
        """The connection for its URL, whether or not it answers."""
        return Connection(endpoint=endpoint, region=region, credentials=keys_for(endpoint))

    def principal(self, clients: AwsClients) -> str:
        """Nobody, if it is a LocalStack; see :meth:`Target.principal`."""
        found = emulators.emulator_at(str(clients.connection.endpoint))
        is_localstack = found is not None and found.target == "localstack"
        return NOBODY if is_localstack else super().principal(clients)

    def versions(self) -> Mapping[str, str]:
        """Nothing: it does not say."""
        return {}

    def keep_log(self, path: Path) -> None:
        """Nothing: its log is not ours to have."""

    def _endpoint(self) -> str:
        given = (self.options.endpoint_url or "").strip().rstrip("/")
        if not given:
            raise NotStartedError(
                "The endpoint target needs its URL (http://127.0.0.1:4566): --endpoint-url, or "
                "in a test session --tidemark-endpoint."
            )
        host = emulators.parts_of(given).hostname or ""
        if _is_aws(host):
            raise NotStartedError(f"{host} is AWS itself, and no emulator: take TARGET=aws for it.")
        return given


def _refuse_other_keys(endpoint: str) -> None:
    """Refuse to go on where an embedded target answers, which takes no keys but its own.

    Raises:
        NotStartedError: One does.
    """
    if emulators.answers(endpoint, "embedded"):
        raise NotStartedError(
            f'What runs at {endpoint} takes its own keys only: run `eval "$(tidemark env)"` in '
            "this shell first, where it was started."
        )


def _is_aws(host: str) -> bool:
    """Whether a host's name is one of AWS's, in whatever partition."""
    partitions = create_loader().load_data("partitions")["partitions"]
    suffixes = {
        partition["outputs"][suffix]
        for partition in partitions
        for suffix in ("dnsSuffix", "dualStackDnsSuffix")
    }
    name = host.rstrip(".").lower()
    return any(name == one or name.endswith(f".{one}") for one in (*_AWS_DOMAINS, *suffixes))
