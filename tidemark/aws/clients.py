"""AWS clients for a target: the one place that makes them, from what a target says."""

from __future__ import annotations

import os
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.loaders import Loader, create_loader
from botocore.session import Session as BotocoreSession

from tidemark.aws.caller import OnlyCaller
from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

    from tidemark.aws.connection import Connection

_CONNECT_TIMEOUT_S = 5
_READ_TIMEOUT_S = 60


def session(connection: Connection) -> boto3.Session:
    """A boto3 session for a target.

    On an emulator it sees no ``AWS_*`` variable and no shared file: every setting that
    botocore would look up there is cut off from its source. On AWS the settings count that its
    target let pass, and the credentials are those that it checked.

    Raises:
        TidemarkError: The connection is one to AWS, and not of its target's making.
    """
    core = BotocoreSession()
    if connection.endpoint is None:
        if connection.caller is None:
            raise TidemarkError(
                "AWS is reached through its target alone, which says whose account it is: no "
                "client is made past that."
            )
        core.set_config_variable("ignore_configured_endpoint_urls", True)
    else:
        for name, (config_name, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
            core.session_var_map[name] = (config_name, None, default, convert)
        for name in ("config_file", "credentials_file"):
            core.set_config_variable(name, os.devnull)
    core.register_component("data_loader", _loader(core.get_config_variable("data_path")))
    if connection.caller is not None and connection.credentials is None:
        core.register_component("credential_provider", OnlyCaller(connection.caller))
    credentials = connection.credentials
    if credentials is not None:
        core.set_credentials(
            credentials.access_key_id, credentials.secret_access_key, credentials.session_token
        )
    return boto3.Session(botocore_session=core, region_name=connection.region)


@cache
def _loader(data_path: str | None) -> Loader:
    """What reads botocore's service descriptions, which take longer to read than to use."""
    return create_loader(data_path)


class AwsClients:
    """The AWS clients of one target, each made once, at its first use; threads may share them.

    Args:
        connection: How to reach the target.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._session = session(connection)
        self._making = threading.Lock()  # clients are safe to share, making them is not
        self._made: dict[str, Any] = {}

    def client(self, service: str, limits: Config | None = None) -> Any:
        """The client for any service, by its boto3 name; one with limits is made anew.

        Args:
            service: The name.
            limits: Other timeouts or retries than usual.
        """
        with self._making:
            if limits is not None:
                return self._make(service, limits)
            if service not in self._made:
                self._made[service] = self._make(service)
            return self._made[service]

    def _make(self, service: str, limits: Config | None = None) -> Any:
        endpoint = self.connection.endpoint
        usual = Config(
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=_READ_TIMEOUT_S,
            retries={"mode": "standard", "max_attempts": 3},
            s3={"addressing_style": "path" if endpoint else "auto"},
            # An emulator is never behind a proxy; AWS may be.
            proxies={} if endpoint else None,
        )
        return self._session.client(
            service,
            endpoint_url=endpoint,
            verify=None if self.connection.ca_bundle is None else str(self.connection.ca_bundle),
            config=usual if limits is None else usual.merge(limits),
        )

    @property
    def credentials(self) -> Credentials | None:
        """What requests to the target's APIs are signed with."""
        return self._session.get_credentials()

    @property
    def cloudformation(self) -> CloudFormationClient:
        """CloudFormation: stacks, templates, events."""
        return cast("CloudFormationClient", self.client("cloudformation"))

    @property
    def dynamodb(self) -> DynamoDBClient:
        """DynamoDB: the command table and the query table."""
        return cast("DynamoDBClient", self.client("dynamodb"))

    @property
    def functions(self) -> LambdaClient:
        """Lambda: the functions and their event source mappings."""
        return cast("LambdaClient", self.client("lambda"))

    @property
    def logs(self) -> CloudWatchLogsClient:
        """CloudWatch Logs: what the functions wrote."""
        return cast("CloudWatchLogsClient", self.client("logs"))

    @property
    def sns(self) -> SNSClient:
        """SNS: the topic."""
        return cast("SNSClient", self.client("sns"))

    @property
    def sqs(self) -> SQSClient:
        """SQS: the queue and the dead-letter queue; look their URLs up by name."""
        return cast("SQSClient", self.client("sqs"))

    @property
    def sts(self) -> STSClient:
        """STS: which account answers."""
        return cast("STSClient", self.client("sts"))
