"""The installing script on machines that lack something: one sentence, and a failure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from uv import find_uv_bin

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).resolve().parents[2]
# What any POSIX system has, and the script may use.
TOOLS = (
    "awk",
    "cat",
    "cksum",
    "cut",
    "dirname",
    "ln",
    "mkdir",
    "mktemp",
    "readlink",
    "rm",
    "sh",
    "sleep",
)

OLD_PYTHON = """#!/bin/sh
case "$2" in *version_info*3,*11*) exit 1;; *) echo 3.9;; esac
"""
BARE_PYTHON = """#!/bin/sh
case "$2" in *ensurepip*) exit 1;; *print*) echo 3.12;; esac
"""
# Makes a virtual environment whose Python has a pip that reaches nothing.
OFFLINE_PYTHON = """#!/bin/sh
case "$*" in
*print*) echo 3.12;;
"-m venv"*) mkdir -p .venv/bin; cat "$0" >.venv/bin/python; chmod +x .venv/bin/python;;
"-m pip install"*) echo "No route to host"; exit 1;;
esac
"""
# Makes a virtual environment, whose pip installs a uv; both say what they are told.
WORKING_PYTHON = """#!/bin/sh
case "$*" in
*print*) echo 3.12;;
"-m venv"*) mkdir -p .venv/bin; cat "$0" >.venv/bin/python; chmod +x .venv/bin/python;;
"-m pip install"*) echo "pip $*" >>told; cat "$HOME/fake-uv" >.venv/bin/uv; chmod +x .venv/bin/uv;;
esac
"""
# Its environments have no pip.
PYTHON_OF_UV = """#!/bin/sh
case "$*" in "-m pip"*) exit 1;; esac
"""
FAKE_UV = """#!/bin/sh
echo "uv $*" >>told
case "$1 $2" in
"venv "*) mkdir -p .venv/bin; cat "$HOME/fake-python" >.venv/bin/python; chmod +x .venv/bin/python;;
"pip install") cat "$0" >.venv/bin/uv; chmod +x .venv/bin/uv;;
esac
"""
BROKEN_SHIM = """#!/bin/sh
echo "pyenv: python3.13: command not found" >&2
exit 127
"""


@dataclass(frozen=True)
class Machine:
    """A checkout's installing parts, and a PATH with nothing but the usual tools."""

    checkout: Path
    bin: Path

    def has(self, name: str, script: str) -> None:
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def starts(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.checkout / "tools" / "bootstrap"],
            env={"PATH": str(self.bin), "HOME": str(self.checkout)},
            stderr=subprocess.PIPE,
            text=True,
        )

    def bootstrap(self, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.checkout / "tools" / "bootstrap"],
            env={"PATH": str(self.bin), "HOME": str(self.checkout), **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path / "checkout", tmp_path / "bin")
    (machine.checkout / "tools").mkdir(parents=True)
    machine.bin.mkdir()
    for name in (
        "pyproject.toml",
        "uv.lock",
        "package.json",
        "package-lock.json",
        "tools/bootstrap",
    ):
        shutil.copy(CHECKOUT / name, machine.checkout / name)
    for tool in (*TOOLS, "chmod"):
        found = shutil.which(tool)
        assert found is not None
        (machine.bin / tool).symlink_to(found)
    return machine


def sentence(ended: subprocess.CompletedProcess[str]) -> str:
    """The last line, of a run that failed."""
    assert ended.returncode == 70
    assert ended.stdout == ""
    return ended.stderr.rstrip().splitlines()[-1]


def test_without_python_it_says_what_to_install(machine: Machine) -> None:
    said = sentence(machine.bootstrap())

    assert said.startswith("tidemark: no Python found: install Python 3.11 or newer")


def test_an_old_python_is_named_by_its_version(machine: Machine) -> None:
    machine.has("python3", OLD_PYTHON)

    assert sentence(machine.bootstrap()).startswith("tidemark: Python 3.9 is too old")


def test_a_python_without_venv_is_told_how_to_get_it(machine: Machine) -> None:
    machine.has("python3", BARE_PYTHON)

    said = sentence(machine.bootstrap())
    assert "Python 3.12 has no venv module" in said
    assert "apt install python3-venv" in said


def test_a_name_that_runs_nothing_is_passed_over(machine: Machine) -> None:
    machine.has("python3.13", BROKEN_SHIM)
    machine.has("python3", OLD_PYTHON)

    assert "Python 3.9 is too old" in sentence(machine.bootstrap())


def test_a_wrong_choice_of_python_is_said_to_be_one(machine: Machine) -> None:
    machine.has("python3", OFFLINE_PYTHON)

    said = sentence(machine.bootstrap(PYTHON="/no/such/python"))
    assert said == "tidemark: /no/such/python is no Python: correct PYTHON, or leave it out."


def test_without_a_network_the_index_is_named_after_pips_own_words(machine: Machine) -> None:
    machine.has("python3", OFFLINE_PYTHON)

    ended = machine.bootstrap()

    assert "is the package index reachable (network, proxy)" in sentence(ended)
    assert "No route to host" in ended.stderr
    assert not (machine.checkout / ".venv" / "installed").exists()


def test_uv_comes_by_the_locked_hashes_and_what_brought_it_goes(machine: Machine) -> None:
    machine.has("python3", WORKING_PYTHON)
    (machine.checkout / "fake-uv").write_text(FAKE_UV)

    machine.bootstrap()

    by_pip, removed, synced = (machine.checkout / "told").read_text().splitlines()
    assert "--no-deps --only-binary :all: --require-hashes -r .venv/uv.txt" in by_pip
    assert removed == "uv pip uninstall --quiet --python .venv/bin/python pip setuptools wheel"
    assert synced == "uv sync --locked --python .venv/bin/python"
    [locked] = [one for one in _lock()["package"] if one["name"] == "uv"]
    hashes = " ".join(f"--hash={wheel['hash']}" for wheel in locked["wheels"])
    wanted = (machine.checkout / ".venv" / "uv.txt").read_text()
    assert wanted == f"uv=={locked['version']} {hashes}\n"


def test_so_it_does_where_only_uv_is_on_the_machine(machine: Machine) -> None:
    machine.has("uv", FAKE_UV)
    (machine.checkout / "fake-python").write_text(PYTHON_OF_UV)

    machine.bootstrap()

    made, installed, *_ = (machine.checkout / "told").read_text().splitlines()
    assert made == "uv venv --clear --python >=3.11 .venv"  # and brings no pip
    assert installed.startswith("uv pip install --python .venv/bin/python ")
    assert installed.endswith("--no-deps --only-binary :all: --require-hashes -r .venv/uv.txt")


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment as Python makes it, with a pip and perhaps a setuptools of its own."""
    folder = tmp_path_factory.mktemp("seeded") / ".venv"
    python = getattr(sys, "_base_executable", sys.executable)
    subprocess.run([python, "-m", "venv", folder], check=True)
    return folder


def test_a_counterfeit_uv_is_refused_and_never_runs(
    machine: Machine, seeded: Path, tmp_path: Path
) -> None:
    shutil.copytree(seeded, machine.checkout / ".venv", symlinks=True)
    [version] = [one["version"] for one in _lock()["package"] if one["name"] == "uv"]
    meta = f"uv-{version}.dist-info"
    with zipfile.ZipFile(tmp_path / f"uv-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"uv-{version}.data/scripts/uv", "#!/bin/sh\n: >it-ran\n")
        wheel.writestr(f"{meta}/METADATA", f"Metadata-Version: 2.1\nName: uv\nVersion: {version}\n")
        wheel.writestr(f"{meta}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{meta}/RECORD", "")

    ended = machine.bootstrap(
        PIP_CONFIG_FILE=os.devnull, PIP_FIND_LINKS=str(tmp_path), PIP_NO_INDEX="1"
    )

    assert "its uv that of uv.lock?" in sentence(ended)
    assert "HASHES" in ended.stderr
    assert not (machine.checkout / ".venv" / "bin" / "uv").exists()
    assert not (machine.checkout / "it-ran").exists()


def test_neither_pip_nor_setuptools_stays(machine: Machine, seeded: Path) -> None:
    shutil.copytree(seeded, machine.checkout / ".venv", symlinks=True)
    (machine.checkout / ".venv" / "bin" / "uv").symlink_to(find_uv_bin())
    [packages] = (machine.checkout / ".venv" / "lib").glob("python3*/site-packages")
    assert (packages / "pip").exists()

    ended = machine.bootstrap(UV_OFFLINE="1", UV_CACHE_DIR=str(machine.checkout / "cache"))

    assert "the Python packages could not be installed" in sentence(ended)  # offline, as it is
    assert [one.name for one in packages.iterdir() if not one.name.startswith("_")] == []
    assert [one.name for one in packages.parents[2].glob("bin/pip*")] == []


def test_an_installation_that_is_current_is_left_alone(machine: Machine) -> None:
    installed = [machine.checkout / folder / "installed" for folder in (".venv", "node_modules")]
    (machine.checkout / ".venv" / "bin").mkdir(parents=True)
    (machine.checkout / "node_modules").mkdir()
    # A Python that fails whatever it is asked: it must not be asked.
    (machine.checkout / ".venv" / "bin" / "python").symlink_to(shutil.which("false") or "")
    locks = (
        ["pyproject.toml", "uv.lock", "tools/bootstrap"],
        ["package.json", "package-lock.json"],
    )
    for stamp, names in zip(installed, locks, strict=True):
        stamp.write_text(_fingerprint(machine.checkout, names))

    ended = machine.bootstrap()

    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_changed_lock_or_a_moved_checkout_is_installed_again(machine: Machine) -> None:
    names = ["pyproject.toml", "uv.lock", "tools/bootstrap"]
    (machine.checkout / ".venv" / "bin").mkdir(parents=True)
    (machine.checkout / ".venv" / "bin" / "python").symlink_to(shutil.which("false") or "")
    stamp = machine.checkout / ".venv" / "installed"
    for stale in (
        _fingerprint(Path("/elsewhere"), [str(machine.checkout / name) for name in names]),
        _fingerprint(machine.checkout, ["uv.lock"]),
    ):
        stamp.write_text(stale)

        assert "no Python found" in sentence(machine.bootstrap())


@pytest.fixture
def somebody() -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs until it is killed."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_whoever_comes_second_waits_until_the_first_has_ended(
    machine: Machine, somebody: subprocess.Popen[bytes]
) -> None:
    lock = machine.checkout / ".installing"
    lock.symlink_to(str(somebody.pid))

    with machine.starts() as second:
        assert second.stderr is not None
        assert second.stderr.readline() == (
            f"Waiting for process {somebody.pid}, which installs here\n"
        )
        somebody.kill()
        somebody.wait()  # the lock stays behind, as after any kill
        said = second.stderr.read()

    assert second.returncode == 70
    assert "no Python found" in said
    assert not lock.is_symlink()


@pytest.mark.parametrize("tool", ["ln", "rm"])
def test_a_checkout_that_cannot_be_written_is_said_to_be_one(machine: Machine, tool: str) -> None:
    (machine.bin / tool).unlink()
    machine.has(tool, f"#!/bin/sh\necho '{tool}: .installing: Read-only file system' >&2\nexit 1\n")
    if tool == "rm":
        (machine.checkout / ".installing").symlink_to("999999999")  # of a process that was killed

    assert sentence(machine.bootstrap()) == (
        f"tidemark: {machine.checkout} cannot be written ({tool}: .installing: Read-only file "
        "system): make it writable, or clone into a folder of yours."
    )


def _lock() -> dict[str, Any]:
    return tomllib.loads((CHECKOUT / "uv.lock").read_text(encoding="utf-8"))


def _fingerprint(root: Path, names: list[str]) -> str:
    content = f"{root}\n".encode() + b"".join((root / name).read_bytes() for name in names)
    ended = subprocess.run(["cksum"], input=content, capture_output=True, check=True)
    return os.fsdecode(ended.stdout)
