"""Where Lambda enters; the only module here that acts when it is imported, in the init phase."""

from functions.adapters.runtime import Runtime
from functions.query_handler.handler import build

handle = build(Runtime()).handle
