"""A target of one file is one for test sessions, too: by its name, with all that it needs."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
import trustme

from acceptance.plugin.sessions import Project
from tests.api.servers import served
from tests.targets.test_added_target import Emulator
from tidemark.api.exchange import Answer, Headers, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acceptance.plugin.sessions import Session

ADDED = Path(__file__).parents[2] / "tests/targets/added"
TEMPLATE = {
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
    "Outputs": {"RestApiId": {"Value": "a1b2"}, "ApiStage": {"Value": "v1"}},
}
TESTS = """
from tidemark.workloads import bank

def test_it(deployment, aws, tidemark_client):
    assert deployment.target == "own-emulator"
    assert aws.sts.get_caller_identity()["Account"] == "210987654321"
    assert tidemark_client.run(bank.account("a")).status == 200
"""
# What the CDK would write, without the seconds that it takes.
APP = f"""
import json, os, pathlib
out = pathlib.Path(os.environ["CDK_OUTDIR"])
name = json.loads(os.environ["CDK_CONTEXT_JSON"])["stack_name"]
(out / "T.template.json").write_text({json.dumps(TEMPLATE)!r})
stack = {{"type": "aws:cloudformation:stack",
          "properties": {{"templateFile": "T.template.json", "stackName": name}}}}
(out / "manifest.json").write_text(json.dumps({{"artifacts": {{"T": stack}}}}))
"""
# What it would do to the emulator, by nothing but the environment that it is given.
CDK = "fetch(process.env.AWS_ENDPOINT_URL + '/deployed').then(it => process.exit(it.ok ? 0 : 1))"
PLUGIN = """
from tidemark import targets
targets.__path__.append({folder!r})
"""


@dataclass
class CloudEmulator(Emulator):
    """The same with a CloudFormation that knows the CDK's stack and one other."""

    is_deployed: bool = False
    refuses_deletion: bool = False
    deleted: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        if request.url == "/deployed":
            self.is_deployed = True
            return Answer(200)
        answer = super().__call__(request)
        asked = {name: one for name, [one] in parse_qs(request.body.decode()).items()}
        if answer.status != 200 or self.services[-1] != "cloudformation":
            return answer
        return self._answer(asked["Action"], asked.get("StackName", ""))

    def _answer(self, action: str, stack_name: str) -> Answer:
        is_there = stack_name == "CDKToolkit" or (
            self.is_deployed and stack_name not in self.deleted
        )
        if action == "DeleteStack" and self.refuses_deletion:
            return _error("AccessDenied", "no")
        if action == "DeleteStack":
            self.deleted.append(stack_name)
            return _result(action, "")
        if not is_there:
            return _error("ValidationError", f"Stack with id {stack_name} does not exist")
        if action == "GetTemplate":
            body = json.dumps(TEMPLATE).replace('"', "&quot;")
            return _result(action, f"<TemplateBody>{body}</TemplateBody>")
        outputs = "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{one['Value']}</OutputValue></member>"
            for key, one in TEMPLATE["Outputs"].items()
        )
        return _result(
            action,
            f"<Stacks><member><StackName>{stack_name}</StackName>"
            "<CreationTime>2026-11-23T10:00:00Z</CreationTime>"
            f"<StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{outputs}</Outputs>"
            "<Tags><member><Key>project</Key><Value>tidemark</Value></member></Tags>"
            "</member></Stacks>",
        )


def _result(action: str, content: str) -> Answer:
    text = f"<{action}Response><{action}Result>{content}</{action}Result></{action}Response>"
    return Answer(200, Headers({"content-type": "text/xml"}), text.encode())


def _error(code: str, message: str) -> Answer:
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    text = f"<ErrorResponse>{error}</ErrorResponse>"
    return Answer(400, Headers({"content-type": "text/xml"}), text.encode())


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[CloudEmulator]:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    running = CloudEmulator(tmp_path / "home")
    with served(running, context) as endpoint:
        running.write_home(endpoint, ca)
        yield running


@dataclass(frozen=True)
class Sessions:
    """Sessions of a project with that one file, and nothing else, added to the targets."""

    project: Project
    home: Path

    def run(self, *options: str, account: str | None = None) -> Session:
        environ = {} if account is None else {"TIDEMARK_AWS_ACCOUNT": account}
        return self.project.run(
            TESTS,
            *("--target", "own-emulator", *options),
            PYTHONPATH=str(self.project.folder),
            OWN_EMULATOR_HOME=str(self.home),
            **environ,
        )


@pytest.fixture
def sessions(tmp_path: Path, emulator: CloudEmulator) -> Sessions:
    folder = tmp_path / "project"
    (folder / "node_modules/aws-cdk/bin").mkdir(parents=True)
    (folder / "node_modules/aws-cdk/bin/cdk").write_text(CDK)
    (folder / "added_targets.py").write_text(PLUGIN.format(folder=str(ADDED)))
    (folder / "app.py").write_text(APP)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider -p added_targets\n")
    return Sessions(Project(folder), emulator.home)


def test_a_session_deploys_to_it_tests_there_and_removes_its_stack(
    sessions: Sessions, emulator: CloudEmulator
) -> None:
    session = sessions.run("--tidemark-app", "python app.py")

    assert session.exit_code == 0, session.output
    assert "tidemark: target own-emulator, app python app.py" in session.output
    assert "is deployed" in session.output
    assert emulator.services.count("execute-api") == 1
    [name] = emulator.deleted
    assert name.startswith("Tidemark-")
    assert not list((sessions.project.folder / "state" / "pytest").rglob("*.*"))


def test_a_session_uses_a_stack_that_is_there_and_leaves_it_alone(
    sessions: Sessions, emulator: CloudEmulator
) -> None:
    emulator.is_deployed = True

    session = sessions.run("--tidemark-stack", "Theirs")

    assert session.exit_code == 0, session.output
    assert "tidemark: target own-emulator, stack Theirs" in session.output
    assert emulator.deleted == []


def test_a_session_says_last_which_stack_it_could_not_remove_and_fails(
    sessions: Sessions, emulator: CloudEmulator
) -> None:
    emulator.refuses_deletion = True

    session = sessions.run("--tidemark-app", "python app.py")

    assert "1 passed" in session.output
    assert session.exit_code == 70
    last = session.output.split("1 passed")[1].splitlines()[1]
    assert " on own-emulator is left (The target failed: An error occurred (AccessDenied)" in last
    assert "tidemark destroy --target own-emulator --stack-name Tidemark-" in last


def test_a_session_that_keeps_says_how_its_stack_is_removed(
    sessions: Sessions, emulator: CloudEmulator
) -> None:
    session = sessions.run("--tidemark-app", "python app.py", "--tidemark-keep")

    assert session.exit_code == 0, session.output
    assert emulator.deleted == []
    assert "It is left running; to remove it: TIDEMARK_STATE_DIR=" in session.output
    assert "tidemark destroy --target own-emulator --stack-name Tidemark-" in session.output


def test_it_says_itself_where_it_answers(sessions: Sessions) -> None:
    session = sessions.run("--tidemark-endpoint", "http://127.0.0.1:1")

    assert session.exit_code == pytest.ExitCode.USAGE_ERROR
    assert "--tidemark-endpoint does not go with --target own-emulator." in session.output


def test_if_it_asks_first_a_session_wants_to_be_told_the_account(
    sessions: Sessions, emulator: CloudEmulator, tmp_path: Path
) -> None:
    source = (ADDED / "own_emulator.py").read_text(encoding="utf-8")
    (tmp_path / "asking").mkdir()
    (tmp_path / "asking/own_emulator.py").write_text(
        source.replace("    is_ours:", "    asks_first: ClassVar[bool] = True\n    is_ours:")
    )
    plugin = sessions.project.folder / "added_targets.py"
    plugin.write_text(PLUGIN.format(folder=str(tmp_path / "asking")))

    unsaid = sessions.run("--tidemark-app", "python app.py")
    other = sessions.run("--tidemark-app", "python app.py", account="999999999999")
    named = sessions.run("--tidemark-app", "python app.py", account="210987654321")

    assert unsaid.exit_code == pytest.ExitCode.USAGE_ERROR
    assert "--target own-emulator wants TIDEMARK_AWS_ACCOUNT" in unsaid.output
    assert other.exit_code == 64
    assert "TIDEMARK_AWS_ACCOUNT names 999999999999: the session deploys to no" in other.output
    assert named.exit_code == 0, named.output
    assert len(emulator.deleted) == 1
