"""What tests of several packages need: an S3 server, and a cluster of two nodes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from joblib.externals.loky import get_reusable_executor

_KEY, _SECRET = "a-key", "a-secret"
os.environ["RESEED_TRACEBACK"] = "1"  # what nobody foresaw must not pass for a failure that a test expects
# Before torch is loaded: threads of an operation wait for each other, for ages where processes share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder behind an S3 server of rclone, with the bucket `bucket`; its credentials are in the environment."""
    get_reusable_executor().shutdown()  # workers that are there already have the environment of before
    root = tmp_path_factory.mktemp("s3")
    (root / "bucket").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("rclone"), "serve", "s3", root, "--addr", f"127.0.0.1:{port}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        patch.setenv("AWS_ALLOW_HTTP", "true")
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setenv("AWS_ACCESS_KEY_ID", _KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", _SECRET)
        patch.setenv("RESEED_CACHE", str(tmp_path_factory.mktemp("cache")))
        server = subprocess.Popen(
            [*command, "--config", os.devnull, "--auth-key", f"{_KEY},{_SECRET}"], stderr=subprocess.DEVNULL
        )
        try:
            for _ in range(200):
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield root
        finally:
            server.kill()
            server.wait()


@pytest.fixture
def url(s3: Path) -> str:
    """The URL of a study that nobody has begun."""
    return f"s3://bucket/some folder/{uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def nodes(s3: Path) -> Iterator[object]:
    """A Ray cluster of two nodes with a core each, which this process is connected to.

    No longer than a module: Ray ends a process whose cluster it has lost, as it does when a machine is paused, and
    that would be all tests that come after.
    """
    ray = pytest.importorskip("ray", reason="needs the extra `cluster`: pip install 'reseed[cluster]'")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_MODE", "disabled")  # else drivers bring a token, which this cluster's nodes have not
        # Ray then takes the loopback address for that of this machine.
        patch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        patch.setattr("ray._private.ray_constants.ENABLE_RAY_CLUSTER", False)
        # What is started in the background ignores Ctrl-C, and so would the workers, whom Ray stops that way.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        yield cluster
        ray.shutdown()
        cluster.shutdown()
        signal.signal(signal.SIGINT, before)
