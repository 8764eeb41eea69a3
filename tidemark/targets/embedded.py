"""The embedded target: ministack, a subprocess on loopback. Needs nothing but Python."""

from __future__ import annotations

import os
import secrets
import shutil
import site
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import metadata
from typing import TYPE_CHECKING, ClassVar

from tidemark.aws.connection import EMULATOR_CREDENTIALS
from tidemark.errors import TidemarkError
from tidemark.host import ports, processes
from tidemark.host.node import tool_path
from tidemark.host.state import read_json, write_json
from tidemark.targets import emulators
from tidemark.targets.base import (
    EMULATOR_ACCOUNT,
    EMULATOR_REGION,
    LocalTarget,
    LostKeyError,
    SilentTargetError,
)
from tidemark.targets.stopping import starting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tidemark.aws.connection import Connection

_STOPS_WITHIN_S = 10.0
# Function workers are processes here; without a bound, load would start hundreds.
_FUNCTION_CONCURRENCY = 32
# What functions may know of whoever started them; tokens, proxies and settings are not theirs.
_FOR_FUNCTIONS = {
    "PATH",
    "TZ",
    *("LANG", "LC_ALL", "LC_CTYPE"),
    # Where some interpreters have their own libraries.
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"),
}


@dataclass(frozen=True, slots=True)
class _Process:
    """The process of a target that was started.

    Attributes:
        pid: Its pid.
        port: Where it listens.
        mark: What it and its function workers are known by.
    """

    pid: int
    port: int
    mark: str

    @property
    def endpoint(self) -> str:
        return f"http://{ports.LOOPBACK}:{self.port}"

    @property
    def is_alive(self) -> bool:
        return processes.is_alive(self.pid, self.mark)


class EmbeddedTarget(LocalTarget):
    """ministack in a subprocess; one per state folder, shared by the stacks on it.

    Attributes:
        program: What Python runs.
    """

    name: ClassVar[str] = "embedded"
    summary: ClassVar[str] = "ministack, a subprocess on loopback"
    program: ClassVar[tuple[str, ...]] = ("-m", "tidemark.targets.guard.server")

    @property
    def _folder(self) -> Path:
        return self.options.state / self.name

    @property
    def _mark(self) -> str:
        """What its processes are known by; there is one target in a state folder."""
        return str(self._folder)

    @property
    def _record(self) -> Path:
        return self._folder / "process.json"

    @property
    def _key(self) -> Path:
        return self._folder / "key.json"

    @property
    def _log(self) -> Path:
        return self._folder / "ministack.log"

    @property
    def _temporary(self) -> Path:
        return self._folder / "tmp"

    @property
    def node_modules(self) -> Path:
        """Above the folders that functions' code is unpacked into; see :meth:`Target`."""
        return self._temporary / "node_modules"

    def keep_log(self, path: Path) -> None:
        """Write what ministack printed so far."""
        if self._log.is_file():
            shutil.copy(self._log, path)

    def start(self) -> Connection:
        """Find ministack running or start it; see :meth:`Target.start`."""
        if (running := self._find_or_say()) is not None:
            self.refuse_another_port(running)
            return running
        port = ports.choose(self.options.port)
        with starting(self):
            self.stop()  # what is left of one that ended by itself
            return self._await_ready(self._launch(port))

    def find(self) -> Connection | None:
        """The running ministack; see :meth:`Target.find`."""
        process = self._running()
        if process is None:
            return None
        return self.await_answer(process.endpoint, within_s=self.patience_s)

    def reach(self, endpoint: str | None, region: str) -> Connection:
        """The connection by the key that was made when it was started; see :meth:`Target.reach`."""
        match read_json(self._key):
            case {"secret_access_key": str(secret)} if secret:
                credentials = replace(EMULATOR_CREDENTIALS, secret_access_key=secret)
                return replace(super().reach(endpoint, region), credentials=credentials)
        raise LostKeyError(f"{self._lost_key}: `tidemark up` starts it anew, empty.")

    @property
    def _lost_key(self) -> str:
        return f"The key of the embedded target is gone or cannot be read ({self._key})"

    def _find_or_say(self) -> Connection | None:
        """Find it; one that nobody can ask any more counts as gone, which is said."""
        try:
            return self.find()
        except LostKeyError:
            from tidemark.host.progress import Steps  # noqa: PLC0415 -- sessions without a deployment stay quick

            Steps().say(f"  {self._lost_key}: it is started anew, empty.")
            return None

    def stop(self) -> bool:
        """Stop ministack and its function workers, and remove their files."""
        was_alive = processes.stop(self._mark, grace_s=_STOPS_WITHIN_S)
        self._record.unlink(missing_ok=True)
        self._key.unlink(missing_ok=True)
        shutil.rmtree(self._temporary, ignore_errors=True)
        return was_alive

    def how_ended(self) -> str | None:
        """That the process is gone, with its last words; see :meth:`Target.how_ended`."""
        process = self._recorded()
        if process is None or process.is_alive:
            return None
        printed = self._log.read_text(errors="replace") if self._log.is_file() else ""
        lines = [line.strip() for line in printed.splitlines() if line.strip()]
        return f"process {process.pid}, last words: {lines[-1] if lines else 'none'}"

    def versions(self) -> Mapping[str, str]:
        """The ministack that answers, or else the installed one; a container may have neither."""
        process = self._recorded()
        if process and (version := emulators.version_at(process.endpoint, self.name)):
            return {"ministack": version}
        try:
            return {"ministack": metadata.version("ministack")}
        except metadata.PackageNotFoundError:
            return {}

    def _recorded(self) -> _Process | None:
        match read_json(self._record):
            case {"pid": int(pid), "port": int(port)}:
                return _Process(pid, port, self._mark)
        return None

    def _running(self) -> _Process | None:
        process = self._recorded()
        return process if process is not None and process.is_alive else None

    def _launch(self, port: int) -> _Process:
        self._temporary.mkdir(parents=True, exist_ok=True)
        secret = secrets.token_hex(20)
        write_json(self._key, {"secret_access_key": secret})
        own = {processes.MARK: self._mark, "AWS_SECRET_ACCESS_KEY": secret}
        with self._log.open("w", encoding="utf-8") as log:
            child = subprocess.Popen(
                [sys.executable, *self.program],
                # Not the checkout: a function must find its code in its asset alone.
                cwd=self._temporary,
                env=_server_environment(port, self._temporary) | own,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        child.returncode = 0  # it outlives this process on purpose
        write_json(self._record, {"pid": child.pid, "port": port})
        return _Process(child.pid, port, self._mark)

    def _await_ready(self, process: _Process) -> Connection:
        try:
            found = self.await_answer(process.endpoint, within_s=self.patience_s)
        except SilentTargetError as silent:
            raise self._failed(f"did not answer within {self.patience_s:g} s") from silent
        if found is None:
            raise self._failed("ended while starting")
        return found

    def _failed(self, how: str) -> TidemarkError:
        return TidemarkError(f"The embedded target {how}: see {self._log}.")


def _server_environment(port: int, temporary: Path) -> dict[str, str]:
    """The environment of ministack and, through it, of the function workers."""
    env = {name: value for name, value in os.environ.items() if name in _FOR_FUNCTIONS}
    with suppress(TidemarkError):
        env["PATH"] = tool_path()  # its functions in Node.js run on the `node` that is found there
    env |= {
        "BIND_HOST": ports.LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": EMULATOR_ACCOUNT,
        "MINISTACK_REGION": EMULATOR_REGION,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_ACCOUNT_CONCURRENCY": str(_FUNCTION_CONCURRENCY),
        "LAMBDA_EXECUTOR": "local",
        # What a burst leaves behind is worth a cold start, and not 50 MB for minutes.
        "LAMBDA_WARM_TTL_SECONDS": "20",
        "PERSIST_STATE": "0",
        "TMPDIR": str(temporary),
        # Not the developer's, where programs look for settings and passwords; Python alone finds
        # its packages there.
        "HOME": str(temporary),
        "PYTHONUSERBASE": site.getuserbase(),
        # Its reaper removes containers by label; without a socket it leaves the engine alone.
        "DOCKER_HOST": f"unix://{temporary / 'no-docker.sock'}",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUNBUFFERED": "1",
    }
    return env
