"""Fixtures of the engines' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def local_ray() -> Iterator[None]:
    """A local Ray that all engines of this process join, since each start takes five seconds."""
    pytest.importorskip("ray", reason="ray is not installed")
    from wrongcot_data.engines.ray_cluster import Cluster

    cluster = Cluster("local")
    yield
    cluster.close()
