"""`stack/openapi.yaml` tells the truth: whatever is asked, the answer is one that it describes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest
import schemathesis
import yaml
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from requests import PreparedRequest, Session
from requests import Response as Received
from requests.adapters import HTTPAdapter
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from integration.accounts import Names, accepted, outside
from integration.facts import await_projected
from tidemark.api.exchange import Answer, Headers, Request
from tidemark.api.signing import SERVICE
from tidemark.workloads import bank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from schemathesis import Case, Response

    from integration.site import Site
    from tidemark.testing.capabilities import Capabilities
    from tidemark.testing.testbed import Testbed
    from tidemark.testing.transcript import Transcript

    AnyCase = Case[Any]

OPENAPI = Path(__file__).parents[1] / "stack" / "openapi.yaml"
OPERATIONS = (
    "openAccount",
    "depositFunds",
    "withdrawFunds",
    "closeAccount",
    "readAccount",
    "readStatement",
    "listOwnerAccounts",
    "readOwnerTotals",
)
EXAMPLES = 30
# Waiting is what other tests look at; here it would only take its time.
LONGEST_WAIT_MS = 50

STATUS_CHECKS = [not_a_server_error, status_code_conformance, negative_data_rejection]
ANSWER_CHECKS = [
    *STATUS_CHECKS,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

CONFIG = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
SCHEMA = schemathesis.openapi.from_path(OPENAPI, config=CONFIG)


class Sent(Request, frozen=True):
    """A request as schemathesis has it sent, well-formed or not."""

    def __post_init__(self) -> None:
        """Nothing is checked."""


class WrittenAdapter(HTTPAdapter):
    """Sends as `requests` does, and writes down what was sent and answered."""

    def __init__(self, transcript: Transcript) -> None:
        super().__init__()
        self._transcript = transcript

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Received:
        received: list[Received] = []

        def transport(_: Request) -> Answer:
            response = super(WrittenAdapter, self).send(request, *args, **options)
            received.append(response)
            return Answer(response.status_code, Headers(response.headers), response.content)

        body = request.body or b""
        assert isinstance(body, bytes | str), "nothing is streamed here"
        sent = Sent(
            str(request.method),
            str(request.url),
            Headers({name: _text(value) for name, value in request.headers.items()}),
            body.encode() if isinstance(body, str) else body,
        )
        self._transcript.of(transport)(sent)
        return received[0]


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def test_every_operation_is_asked() -> None:
    described = yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))["paths"].values()

    assert {one["operationId"] for path in described for one in path.values()} == set(OPERATIONS)


@pytest.fixture(scope="module")
def existing(site: Site) -> dict[str, str]:
    """Path parameters of an account that exists, and its owner."""
    client = outside(site.client, "openapi")
    names = Names.of(client)
    account_id, owner_id = names.account(), names.owner()
    opened = accepted(client.run(bank.open_account(account_id=account_id, owner_id=owner_id)))
    await_projected(site.tables, [opened, accepted(client.run(bank.deposit(account_id, 1_000)))])
    return {"account_id": account_id, "owner_id": owner_id}


@pytest.fixture(scope="module")
def sent(site: Site, testbed: Testbed) -> Iterator[Callable[[AnyCase], Response]]:
    """Sends a case to the deployed API, signed, and has it written down."""
    credentials = site.aws.credentials
    assert credentials is not None

    def sign(prepared: Any) -> Any:
        # `requests` leaves a query as it was given; what is signed is its canonical form.
        address, mark, query = prepared.url.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        prepared.url = address + mark + urlencode(pairs, quote_via=quote)
        request = AWSRequest(
            prepared.method, prepared.url, data=prepared.body, headers=dict(prepared.headers)
        )
        SigV4Auth(credentials, SERVICE, site.deployment.region).add_auth(request)
        prepared.headers.update(dict(request.headers.items()))
        return prepared

    with Session() as session:
        session.trust_env = False  # an emulator is never behind a proxy
        session.mount(
            site.deployment.api_url, WrittenAdapter(testbed.transcript_of(site.deployment))
        )
        yield lambda case: case.call(
            base_url=site.deployment.api_url, session=session, auth=sign, timeout=30
        )


def test_what_is_sent_here_is_written_down(
    sent: Callable[[AnyCase], Response],
    site: Site,
    testbed: Testbed,
    request: pytest.FixtureRequest,
) -> None:
    operation = SCHEMA.find_operation_by_id("readAccount")

    response = sent(operation.Case(path_parameters={"account_id": "nobody"}))

    written = testbed.transcript_of(site.deployment).path.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in written.splitlines()]
    [mine] = [line for line in lines if request.node.name in (line["test"] or "")]
    assert mine["url"] == f"{site.deployment.api_url}/accounts/nobody"
    assert mine["answer"]["status"] == response.status_code


@pytest.mark.parametrize("mode", GenerationMode, ids=[mode.value for mode in GenerationMode])
@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_every_answer_is_as_specified(
    sent: Callable[[AnyCase], Response],
    existing: dict[str, str],
    capabilities: Capabilities,
    operation_id: str,
    mode: GenerationMode,
) -> None:
    operation = SCHEMA.find_operation_by_id(operation_id)
    known = {name: one for name, one in existing.items() if f"{{{name}}}" in operation.path}
    cases = operation.as_strategy(generation_mode=mode)
    if known:
        cases = st.one_of(cases, operation.as_strategy(generation_mode=mode, path_parameters=known))

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def ask(case: AnyCase) -> None:
        assume("any-body" in capabilities or is_text(case))
        wait_ms = case.query.get("wait_ms")
        if isinstance(wait_ms, int) and LONGEST_WAIT_MS < wait_ms <= 5_000:
            case.query["wait_ms"] = LONGEST_WAIT_MS
        response = sent(case)
        is_gateways = is_gateways_own(response, capabilities)
        case.validate_response(response, checks=STATUS_CHECKS if is_gateways else ANSWER_CHECKS)

    ask()


def is_text(case: AnyCase) -> bool:
    """Whether the body is text, as far as it was not made as JSON."""
    body = getattr(case.body, "data", case.body)
    try:
        return not isinstance(body, bytes) or body.decode() is not None
    except UnicodeDecodeError:
        return False


def is_gateways_own(response: Response, capabilities: Capabilities) -> bool:
    """Whether an emulator's gateway refused by itself: its gateway responses cannot be set.

    It refuses routes and signatures with 403 and, where it validates requests, 400.
    """
    own = {403, 400} if "request-validators" in capabilities else {403}
    if response.status_code not in own:
        return False
    said = response.json() if "application/json" in response.headers["content-type"][0] else None
    return isinstance(said, dict) and [name.lower() for name in said] == ["message"]
