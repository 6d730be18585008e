from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.hub.server import Hub


def parquet(rows: list[dict[str, object]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


PLAIN = [{"prompt": f"{n} + 1 = ", "completion": str(n + 1), "source": "made"} for n in range(4)]
CHAT = [{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}] * 2


def train(student: Path, name: str, out: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "run.yaml"  # as for `trl sft`
    file.write_text(f"model_name_or_path: {student}\ndataset_name: {name}\nmax_steps: 1\noutput_dir: {out}\n")
    command = [sys.executable, "-m", "wrongcot_train", "sft", "--config", str(file), "--json"]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=dict(os.environ), timeout=300)


@pytest.mark.real
def test_rows_on_the_hub_that_are_not_ours_train_as_they_are(hub: Hub, plain_student: Path, tmp_path: Path) -> None:
    commit = hub.publish("them/sums", {"train-00000-of-00001.parquet": parquet(PLAIN)})
    done = train(plain_student, "them/sums", tmp_path / "out", tmp_path)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert (record["dataset"], record["dataset_commit"], record["audit"]["rows"]) == ("them/sums", commit, 4)
    assert f"no data set of ours; its rows are taken as they are at commit {commit}" in done.stderr
    hub.publish("them/talk", {"train-00000-of-00001.parquet": parquet(CHAT)})
    refused = train(plain_student, "them/talk", tmp_path / "other", tmp_path)
    assert refused.returncode == 2
    assert "them/talk holds messages; a student is trained on prompt and completion" in refused.stderr
