"""How many function processes there may be: as many as the machine can run, not as many as wait."""

from __future__ import annotations

import os
import time
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

_LEAST = 2
# A function that waits for another call of itself holds the worker that this one waits for.
_PATIENCE_S = 2.0
_LOOK_EVERY_S = 0.005


def bound_workers(most: int | None = None) -> None:
    """Let an invocation wait for a process that is free, before it starts another.

    Args:
        most: The processes of one function; as many as the machine has cores when absent.
    """
    bound = max(_LEAST, most or os.cpu_count() or _LEAST)
    acquire = lambda_runtime.acquire_worker

    def acquire_within_bound(func_name: str, config: Any, code_zip: bytes, **options: Any) -> Any:
        is_capped_already = bool(options.get("max_concurrency"))
        deadline = time.monotonic() + _PATIENCE_S
        while not is_capped_already and time.monotonic() < deadline:
            worker, reason = acquire(
                func_name, config, code_zip, **options | {"max_concurrency": bound}
            )
            if worker is not None:
                return worker, reason
            time.sleep(_LOOK_EVERY_S)
        return acquire(func_name, config, code_zip, **options)

    lambda_svc.acquire_worker = acquire_within_bound
