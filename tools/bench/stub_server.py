"""A trivial server to measure load generators against: nginx, which answers everything alike."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark.errors import NotStartedError
from tidemark.host import ports
from tidemark.host.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

# An account, as the bank shows it, and an accepted command: whoever asks finds what it looks for.
_ANSWER = (
    '{"account_id": "a", "owner_id": "o", "balance": 5, "status": "open", "version": 2, '
    '"event_id": "e"}'
)
_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log stderr error;
events {{ worker_connections 512; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {host}:{port};
        default_type application/json;
        add_header ETag '"2"';
        location / {{ return 200 '{answer}'; }}
    }}
}}
"""


@contextmanager
def stub_server(*pinned: str) -> Iterator[str]:
    """Run nginx on a free loopback port; yields its URL.

    Args:
        pinned: What it is started by, such as `taskset -c 1`.

    Raises:
        NotStartedError: There is no nginx on this machine.
    """
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if nginx is None:
        raise NotStartedError("The generator is measured against nginx: install it (nginx-light).")
    port = ports.choose(None)
    with tempfile.TemporaryDirectory(prefix="tidemark-bench-") as folder:
        configuration = Path(folder) / "nginx.conf"
        configuration.write_text(
            _CONFIGURATION.format(folder=folder, host=ports.LOOPBACK, port=port, answer=_ANSWER)
        )
        command = [*pinned, nginx, "-e", "stderr", "-p", folder, "-c", str(configuration)]
        server = subprocess.Popen(command)
        try:
            eventually(lambda: _answers(port), what="nginx to listen")
            yield f"http://{ports.LOOPBACK}:{port}"
        finally:
            server.terminate()
            server.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((ports.LOOPBACK, port)) == 0
