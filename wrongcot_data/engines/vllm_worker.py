"""What vLLM's worker processes import so that they end with the process that opened the engine.

vLLM's core does not notice when that one is killed: it stays, with the model in memory (seen with 0.32.0). Importing
this module starts a thread that waits for that process to end.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading

from wrongcot_data.engines.vllm_processes import PARENT


class EndsWithParent:
    """Mixed into vLLM's worker (`worker_extension_cls`): it adds nothing, vLLM only has to import it."""


def _end_with(parent: int) -> None:
    """Wait until that process is gone, then kill the core above this worker, where it is another, and the worker."""
    above = os.getppid()
    with contextlib.suppress(ProcessLookupError):  # gone before we looked
        ended = select.poll()
        ended.register(os.pidfd_open(parent), select.POLLIN)
        ended.poll()
    if above not in (1, parent):
        with contextlib.suppress(OSError):
            os.kill(above, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


if PARENT in os.environ and hasattr(os, "pidfd_open"):
    threading.Thread(target=_end_with, args=(int(os.environ[PARENT]),), daemon=True).start()
