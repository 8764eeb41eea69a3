"""A target of one file: an emulator by https, with a CA, keys and an account of its own.

A test puts this file among the targets; nothing elsewhere knows of it.
"""

from __future__ import annotations

import configparser
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from botocore.exceptions import BotoCoreError, ClientError

from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import Connection, Credentials
from tidemark.errors import TidemarkError
from tidemark.targets.base import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME_VARIABLE = "OWN_EMULATOR_HOME"


class OwnEmulatorTarget(Target):
    """An emulator that writes what its callers need into a folder: endpoint, CA, keys."""

    name: ClassVar[str] = "own-emulator"
    summary: ClassVar[str] = "an emulator with certificates of its own"
    is_ours: ClassVar[bool] = False

    @property
    def _home(self) -> Path:
        return Path(self.options.settings.get("home") or os.environ[HOME_VARIABLE])

    @property
    def settings(self) -> Mapping[str, str]:
        """Where the folder is; what is in it is read anew each time, for keys change."""
        return {"home": str(self._home)}

    def start(self) -> Connection:
        """Find it: somebody else runs it."""
        connection = self.find()
        if connection is None:
            raise TidemarkError("The emulator does not answer: start it.")
        return connection

    def find(self) -> Connection | None:
        """How to reach it, if it takes the keys."""
        told = json.loads((self._home / "emulator.json").read_text())
        connection = self.reach(told["endpoint"], told["region"])
        try:
            AwsClients(connection).sts.get_caller_identity()
        except (BotoCoreError, ClientError):
            return None
        return connection

    def stop(self) -> bool:
        """Leave it alone."""
        return False

    def reach(self, endpoint: str | None, region: str) -> Connection:
        """The connection, with the keys of the running emulator."""
        told = json.loads((self._home / "emulator.json").read_text())
        keys = configparser.ConfigParser()
        keys.read(self._home / "credentials")
        return Connection(
            region=region,
            endpoint=endpoint,
            credentials=Credentials(
                keys["default"]["aws_access_key_id"], keys["default"]["aws_secret_access_key"]
            ),
            ca_bundle=self._home / "ca.pem",
            account=told["account"],
        )

    def versions(self) -> Mapping[str, str]:
        """Nothing: it does not say."""
        return {}

    def keep_log(self, path: Path) -> None:
        """Nothing: it keeps its own."""
