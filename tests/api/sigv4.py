"""A second opinion on signatures: AWS Signature Version 4 checked from what arrived.

Written from the specification, sharing nothing with botocore, which made the signature.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key_id>[^/]+)/(?P<scope>[^,]+), ?"
    r"SignedHeaders=(?P<signed>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})$"
)


def expected_signature(
    method: str, target: str, headers: Mapping[str, str], body: bytes, secret_key: str
) -> tuple[str, str]:
    """Return the signature that a request bears, and the one it should bear.

    `target` is the request target as it arrived; `headers` have lower-case names.
    """
    match = _AUTHORIZATION.match(headers["authorization"])
    if match is None:
        raise ValueError(f"not a signature: {headers['authorization']}")
    path, _, query = target.partition("?")
    canonical = "\n".join(
        [
            method,
            quote(path, safe="/-_.~"),
            "&".join(sorted(query.split("&"))),
            *(f"{name}:{' '.join(headers[name].split())}" for name in match["signed"].split(";")),
            "",
            match["signed"],
            hashlib.sha256(body).hexdigest(),
        ]
    )
    day, region, service, terminator = match["scope"].split("/")
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, service, terminator):
        key = _hmac(key, part)
    to_sign = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            headers["x-amz-date"],
            match["scope"],
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    return match["signature"], _hmac(key, to_sign).hex()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
