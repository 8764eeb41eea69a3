"""Whether a request is signed by somebody who knows a secret of the target.

The emulator's own SigV4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html)
is what checks: the secret of the target for its root keys, and for the keys and sessions that
its IAM and STS issued, their own.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from ministack.core import sigv4
from ministack.core.iam_evaluator import (
    AmbiguousAccessKeyError,
    AuthError,
    ResolvedCredential,
    SignedRequest,
    find_iam_access_key_account,
    resolve_credential,
)
from ministack.core.iam_evaluator import _sigv2_check as check_version_2
from ministack.core.responses import _account_from_sts_session as account_of_session

from tidemark.targets.guard import usual

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ALGORITHM = "AWS4-HMAC-SHA256"
_QUERY_NAMES = frozenset({"x-amz-credential", "x-amz-signature", "awsaccesskeyid"})
_UNCHECKED_BODIES = ("UNSIGNED-PAYLOAD", "STREAMING-")


class Signed(NamedTuple):
    """What of a request its signature covers.

    Attributes:
        method: The HTTP method.
        raw_path: The path as it was sent, percent-encoded.
        query: The values of each query parameter.
        headers: The headers, their names in lower case.
        body: The whole body.
    """

    method: str
    raw_path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes


def is_claimed(headers: Mapping[str, str], query: Mapping[str, Sequence[str]]) -> bool:
    """Whether a request says that it is signed, by its header or as a presigned URL.

    Whatever the emulator would take a caller from counts.
    """
    return _is_claimed_by_header(headers) or _is_claimed_by_query(query)


def _is_claimed_by_header(headers: Mapping[str, str]) -> bool:
    return headers.get("authorization", "").startswith(("AWS4-", "AWS "))


def _is_claimed_by_query(query: Mapping[str, Sequence[str]]) -> bool:
    return not _QUERY_NAMES.isdisjoint(name.lower() for name in query)


def _is_of_version_2(headers: Mapping[str, str], query: Mapping[str, Sequence[str]]) -> bool:
    """The elder signature, with which SDKs still presign URLs of S3 in some regions."""
    return (
        headers.get("authorization", "").startswith("AWS ")
        or {"AWSAccessKeyId", "Signature"} <= query.keys()
    )


def refusal(signed: Signed) -> tuple[str, str] | None:
    """The code and the sentence with which a signature is refused; ``None`` if it is right."""
    is_presigned = _is_claimed_by_query(signed.query)
    if is_presigned and _is_claimed_by_header(signed.headers):
        # The emulator would take the caller from the one that was not checked.
        return "InvalidRequest", "Only one way to sign is allowed: by the header or by the URL."
    if not is_presigned and usual.is_right(signed):
        return None
    if _is_of_version_2(signed.headers, signed.query):
        return _refusal_of_version_2(signed)
    return _refusal_of_version_4(signed, is_presigned=is_presigned)


def _refusal_of_version_4(signed: Signed, *, is_presigned: bool) -> tuple[str, str] | None:
    if not is_presigned and not signed.headers["authorization"].startswith(_ALGORITHM):
        return "IncompleteSignature", f"Only {_ALGORITHM} is checked here."
    if is_presigned:
        parsed = sigv4.parse_query_signature(signed.query)
        token = next(iter(signed.query.get("X-Amz-Security-Token", ())), "")
    else:
        parsed = sigv4.parse_header_signature(signed.headers)
        token = signed.headers.get("x-amz-security-token", "")
    if isinstance(parsed, tuple):
        return parsed
    out_of_time = (
        _refusal_of_an_old_link(signed, parsed.amz_date)
        if is_presigned
        else sigv4.request_time_failure(parsed)
    )
    if out_of_time is not None:
        return out_of_time
    key_id = parsed.access_key_id
    credential = resolve_credential(key_id, _account_of(key_id), token)
    if not isinstance(credential, ResolvedCredential):
        return credential.code, credential.message
    failure: tuple[str, str] | None = sigv4.header_signature_failure(
        parsed,
        credential.secret_access_key,
        signed.method,
        signed.raw_path,
        signed.query,
        signed.headers,
        signed.body,
        presigned=is_presigned,
    )
    return failure or _refusal_of_another_body(signed)


def _refusal_of_version_2(signed: Signed) -> tuple[str, str] | None:
    stated = signed.headers.get("authorization", "").removeprefix("AWS ").partition(":")[0]
    key_id = stated or next(iter(signed.query["AWSAccessKeyId"]), "")
    checked = check_version_2(
        SignedRequest(
            key_id,
            signed.method,
            signed.raw_path,
            signed.query,
            signed.headers,
            sigv2=True,
            auth_path=signed.raw_path,
        ),
        _account_of(key_id),
    )
    return (checked.code, checked.message) if isinstance(checked, AuthError) else None


def _account_of(key_id: str) -> str | None:
    """The account that a key belongs to; ``None`` for the emulator's own."""
    if key_id.isdigit():
        return key_id  # functions sign with their account as key id
    try:
        known: str | None = account_of_session(key_id) or find_iam_access_key_account(key_id)
    except AmbiguousAccessKeyError:
        return None
    return known


def _refusal_of_an_old_link(signed: Signed, amz_date: str) -> tuple[str, str] | None:
    expires = next(iter(signed.query.get("X-Amz-Expires", ())), "")
    try:
        is_old = sigv4.presigned_request_is_expired(amz_date, expires)
    except ValueError:
        is_old = True
    return ("AccessDenied", "Request has expired") if is_old else None


def _refusal_of_another_body(signed: Signed) -> tuple[str, str] | None:
    """The signature covers the hash that the header states; so it must be the body's."""
    stated = signed.headers.get("x-amz-content-sha256", "")
    if not stated or stated.startswith(_UNCHECKED_BODIES):
        return None
    if stated != hashlib.sha256(signed.body).hexdigest():
        return "XAmzContentSHA256Mismatch", "The provided x-amz-content-sha256 is not the body's."
    return None
