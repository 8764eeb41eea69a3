"""The usual signature, by a root key and in the header, checked in a fraction of the time.

Each command on a stack is six requests or so to the emulator, and its own check of all that a
signature may be takes a twentieth of what else there is to do. What does not pass here is looked
at there, and refused in its words.
"""

from __future__ import annotations

import calendar
import hmac
import os
import re
import time
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from ministack.core import sigv4

if TYPE_CHECKING:
    from tidemark.targets.guard.signature import Signed

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key_id>test|[0-9]{12})"
    r"/(?P<scope>(?P<day>[0-9]{8})/(?P<region>[\w-]+)/(?P<service>[\w-]+)/aws4_request), ?"
    r"SignedHeaders=(?P<names>[\w;-]+), ?Signature=(?P<signature>[0-9a-f]{64})",
    re.ASCII,
)
# S3 signs paths and bodies in ways of its own.
_UNUSUAL = ("x-amz-content-sha256", "x-amz-security-token")
_WITHIN_S = 300.0

_signing_key = lru_cache(maxsize=64)(sigv4.derive_signing_key)


def is_right(signed: Signed) -> bool:
    """Whether it is the usual signature, and right; else it may still be another that is.

    Args:
        signed: The request, signed in its header alone.
    """
    headers = signed.headers
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    stamp = headers.get("x-amz-date", "")
    if found is None or found["service"] == "s3" or any(name in headers for name in _UNUSUAL):
        return False
    at_s = _seconds(stamp)
    if at_s is None or found["day"] != stamp[:8] or abs(time.time() - at_s) > _WITHIN_S:
        return False
    query = sigv4.build_canonical_query_string(signed.query, exclude=()) if signed.query else ""
    names = found["names"]
    listed = [f"{name}:{' '.join(headers.get(name, '').split())}" for name in names.split(";")]
    body = sha256(signed.body).hexdigest()
    canonical = "\n".join([signed.method, _path(signed.raw_path), query, *listed, "", names, body])
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{found['scope']}\n{sha256(canonical.encode()).hexdigest()}"
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    key = _signing_key(secret, found["day"], found["region"], found["service"])
    return hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), found["signature"])


@lru_cache(maxsize=64)
def _seconds(stamp: str) -> int | None:
    try:
        return calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _path(raw_path: str) -> str:
    path: str = sigv4.uri_encode(sigv4._remove_dot_segments(raw_path), encode_slash=False)  # noqa: SLF001 -- there is no public way
    return path
