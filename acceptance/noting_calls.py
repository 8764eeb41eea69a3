"""The program, noting each AWS call that it makes itself: `noting_calls.py FILE VERB ...`.

The calls of the CDK are its own, in a process of its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from botocore.client import BaseClient

from tidemark.cli import main

# Where all calls come by, though its stubs do not say so.
_METHOD = "_make_api_call"


def note_calls(path: Path) -> None:
    """Write down each call in a line of JSON, before it is made."""
    call = getattr(BaseClient, _METHOD)

    def noted(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        line = [self.meta.service_model.service_name, operation, parameters]
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")
        return call(self, operation, parameters)

    setattr(BaseClient, _METHOD, noted)


if __name__ == "__main__":
    note_calls(Path(sys.argv.pop(1)))
    main()
