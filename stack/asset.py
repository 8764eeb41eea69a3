"""The code asset: one zip, the same bytes on every machine.

It holds the package ``functions`` and the parts of AWS Lambda Powertools that the functions need.
Nothing is downloaded and nothing is compiled: Powertools is taken from the installed, locked
environment. What the Lambda runtime brings along (boto3, jmespath) stays out.
"""

from __future__ import annotations

import importlib.metadata
import zipfile
from pathlib import Path, PurePosixPath

SOURCES = Path(__file__).resolve().parents[1] / "functions"

# Logger and Metrics, and what these import. Everything else of Powertools (REST event
# handler, parser, feature flags, ...) would double the asset.
_POWERTOOLS = "aws_lambda_powertools"
_POWERTOOLS_PARTS = (
    "*.py",
    "exceptions/*.py",
    "logging/**/*.py",
    "metrics/**/*.py",
    "middleware_factory/*.py",
    "shared/*.py",
    "tracing/*.py",
    "utilities/*.py",
    "utilities/jmespath_utils/*.py",
    "utilities/typing/*.py",
    "warnings/*.py",
)

# The first moment that a zip can express.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE_0644 = 0o100644 << 16
_MADE_ON_UNIX = 3


def collect(sources: Path = SOURCES) -> dict[str, bytes]:
    """Returns what the asset holds: the content of every file by its name in the zip.

    Args:
        sources: The folder of the package ``functions``.
    """
    files = {
        str(PurePosixPath("functions", *path.relative_to(sources).parts)): path.read_bytes()
        for path in sources.rglob("*.py")
    }
    files |= _installed("aws-lambda-powertools", *(f"{_POWERTOOLS}/{p}" for p in _POWERTOOLS_PARTS))
    files |= _installed("typing-extensions", "typing_extensions.py")
    return files


def build(target: Path, sources: Path = SOURCES) -> Path:
    """Writes the code asset to ``target`` and returns that path.

    Entries are sorted, stored uncompressed, and carry a fixed date and mode, so that neither the
    clock, the file system nor the version of zlib shows in the bytes.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(collect(sources).items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = _MADE_ON_UNIX
            entry.external_attr = _REGULAR_FILE_0644
            archive.writestr(entry, content)
    return target


def _installed(distribution: str, *patterns: str) -> dict[str, bytes]:
    """Returns the files of an installed distribution that match one of the patterns.

    Raises:
        RuntimeError: The distribution is not installed, or a pattern matches none of its files.
    """
    try:
        root = Path(str(importlib.metadata.distribution(distribution).locate_file("")))
    except importlib.metadata.PackageNotFoundError as error:
        raise RuntimeError(f"{distribution} is not installed here: run `uv sync`.") from error
    files: dict[str, bytes] = {}
    for pattern in patterns:
        matched = [path for path in root.glob(pattern) if path.is_file()]
        if not matched:
            raise RuntimeError(f"{distribution} has no {pattern}: its layout has changed.")
        files |= {path.relative_to(root).as_posix(): path.read_bytes() for path in matched}
    return files
