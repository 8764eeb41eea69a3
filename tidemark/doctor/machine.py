"""The machine: ports, disk space, proxies."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tidemark.doctor.finding import Finding, lacking, well
from tidemark.host import ports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

LITTLE_BYTES = 2 * 10**9
"""LocalStack's image and a few function containers fit; below, a download may fail."""

TOO_LITTLE_BYTES = 200 * 10**6
"""Below, not even an assembly and a log are sure to fit."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_LOOPBACK = ("127.0.0.1", "localhost")


def loopback() -> Finding:
    """Whether a server can listen on loopback at all."""
    try:
        ports.choose(None)
    except OSError as error:
        return lacking(
            "loopback",
            f"no port of {ports.LOOPBACK} can be had: {error.strerror}",
            "allow local servers (sandbox, firewall, too many open sockets)",
            is_needed=True,
        )
    return well("loopback", f"a server can listen on {ports.LOOPBACK}")


def localstack_port(port: int, *, is_ours: bool) -> Finding:
    """The port where everybody looks for LocalStack.

    Args:
        port: Which that is.
        is_ours: The LocalStack of this state folder listens there.
    """
    name = f"port {port}"
    if is_ours:
        return well(name, "our LocalStack listens there")
    if ports.is_free(port):
        return well(name, "free")
    return lacking(
        name,
        "taken by something else",
        "nothing, `up` takes another; or `tidemark up --target endpoint --endpoint-url "
        f"http://127.0.0.1:{port}` if that is an emulator of yours",
        is_needed=False,
    )


def disk(
    name: str,
    folder: Path,
    free_bytes: Callable[[Path], int] = lambda at: shutil.disk_usage(at).free,
) -> Finding:
    """The space on the disk of a folder, which need not exist yet."""
    there = next(at for at in (folder, *folder.parents) if at.exists())
    free = free_bytes(there)
    says = f"{free / 10**9:.1f} GB free at {there}"
    if free >= LITTLE_BYTES:
        return well(name, says)
    return lacking(name, says, "make room", is_needed=free < TOO_LITTLE_BYTES)


def proxy(environ: Mapping[str, str]) -> Finding:
    """The proxy variables, and whether loopback goes past them."""
    values = {name: _value(environ, name) for name in (*_PROXIES, "NO_PROXY")}
    shown = [f"{name} {_place(value)}" for name in _PROXIES if (value := values[name])]
    if not shown:
        return well("proxy", "none")
    said = ", ".join(shown)
    caught = [host for host in _LOOPBACK if not _passes(host, values["NO_PROXY"])]
    if not caught:
        return well("proxy", f"{said}; loopback goes past it")
    return lacking(
        "proxy",
        f"{said}; {' and '.join(caught)} would go through it",
        f"NO_PROXY={','.join(_LOOPBACK)} for your own tools; what Tidemark starts has it already",
        is_needed=False,
    )


def _value(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name.lower()) or environ.get(name) or ""


def _place(url: str) -> str:
    """Host and port of a proxy: its user and password are nobody's to print."""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(not a URL)"
    return f"{parts.hostname}{port}"


def _passes(host: str, no_proxy: str) -> bool:
    names = [one.strip().lstrip(".") for one in no_proxy.split(",")]
    return "*" in names or host in names
