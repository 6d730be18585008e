"""The Ray cluster of a build: joined or started, and how many actors of what size it is asked for."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from dataclasses import dataclass
from math import ceil
from typing import Any

from wrongcot_data.errors import Unavailable, missing_extra

KNOCK_S = 5.0
"""Seconds for an address to answer."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How many actors, and what each takes of the cluster."""

    actors: int
    gpus: float
    cpus: float


class Cluster:
    """A connection to Ray, made for this engine unless the program has one already.

    Args:
        address: of a cluster, `auto` for one that runs on this machine, or none: `RAY_ADDRESS`, else a local Ray.

    Raises:
        Unavailable: Ray is not installed, or there is no such cluster.
    """

    def __init__(self, address: str | None) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # a local Ray takes it over; nothing leaves the machine
        os.environ["RAY_IGNORE_UNHANDLED_ERRORS"] = "1"  # of calls nobody waits for any more, when an actor is lost
        try:
            import ray
        except ImportError as error:
            raise missing_extra("ray", "ray") from error
        self.version: str = ray.__version__
        self._ours = not ray.is_initialized()
        if self._ours:
            self._connect(address or os.environ.get("RAY_ADDRESS") or "local")
            # without this, the death of an actor is told on standard output, among what `--json` prints
            vars(ray._private.worker)["_worker_logs_enabled"] = False

    def _connect(self, address: str) -> None:
        import ray

        try:
            _knock(address)
        except (OSError, OverflowError, UnicodeError) as error:  # the last two: no port or host name at all
            raise _no_ray(address, getattr(error, "strerror", None) or str(error)) from error
        main = threading.current_thread() is threading.main_thread()
        on_terminate = signal.getsignal(signal.SIGTERM)
        local: dict[str, Any] = {"include_dashboard": False} if address == "local" else {}
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **local)
        except (ConnectionError, RuntimeError, ValueError, TimeoutError, ray.exceptions.RayError) as error:
            raise _no_ray(address, str(error).strip().splitlines()[0]) from error
        finally:
            if main:  # Ray puts its own in its place and leaves it there
                signal.signal(signal.SIGTERM, on_terminate)

    def close(self) -> None:
        """Leave the cluster; a local Ray ends. Safe to call twice."""
        import ray

        if self._ours:
            self._ours = False
            ray.shutdown()

    def layout(self, actors: int | None, gpus: float | None, cpus: float | None, gpus_an_engine: int) -> Layout:
        """Fill in what is not given: one actor a GPU and a core for each, or one that has a node's cores.

        Args:
            gpus_an_engine: how many GPUs the engine spreads over by itself.
        """
        import ray

        library: Any = ray  # its own annotations leave this one out
        nodes = [node["Resources"] for node in library.nodes() if node["Alive"]]
        all_gpus = sum(node.get("GPU", 0.0) for node in nodes)
        if gpus is None:
            gpus = float(gpus_an_engine) if all_gpus else 0.0
        if actors is None:
            actors = max(1, int(sum(node.get("GPU", 0.0) // gpus for node in nodes))) if gpus else 1
        if cpus is None:
            cpus = 1.0 if gpus else _cores_each([node.get("CPU", 0.0) for node in nodes], actors)
        return Layout(actors, gpus, cpus)


def _knock(address: str) -> None:
    """See that somebody listens at HOST:PORT; Ray itself tries for two minutes. Other addresses are Ray's to read.

    Raises:
        OSError: nobody does.
        OverflowError, UnicodeError: it is no port, or no name of a host.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_S).close()


def _no_ray(address: str, story: str) -> Unavailable:
    return Unavailable(
        f"no Ray at {address}: {story}",
        try_=[
            "ray start --head    (on the first machine), then ray start --address=HOST:6379 on the others",
            "without --engine-option address=... and RAY_ADDRESS: a local Ray for this build",
        ],
    )


def _cores_each(nodes: list[float], actors: int) -> float:
    """The cores of an actor where they share the nodes evenly. Ray lets an actor's libraries use as many threads."""
    with_cores = [cores for cores in nodes if cores] or [1.0]
    each = min(with_cores) / ceil(actors / len(with_cores))
    return float(int(each)) if each >= 1 else round(each, 4) - 1e-4
