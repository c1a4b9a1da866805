"""What one pushes another pulls: by SSH and by S3, from servers here (by a folder: test_dvc.py)."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import boto3
import pytest
from conftest import cloned, planned, said
from moto.server import ThreadedMotoServer

KEYS = {"AWS_ACCESS_KEY_ID": "anyone", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def ssh_server(tmp_path) -> Iterator[tuple[int, Path]]:
    """An SSH server on 127.0.0.1: its port, and the key that it lets in."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(tmp_path / "key")
    key.write_public_key(tmp_path / "key.pub")
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            authorized_client_keys=str(tmp_path / "key.pub"),
            sftp_factory=True,
        )
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server.get_port(), tmp_path / "key"
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


@pytest.fixture
def s3_server(monkeypatch) -> Iterator[str]:
    """An S3 server on 127.0.0.1 with a bucket `lab`: its address."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    boto3.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket="lab")
    yield f"http://{host}:{port}"
    server.stop()


def goes_there_and_back(origin: Path, folder: Path, settings: list[list[str]], **environment: str) -> None:
    """Push from a clone that has everything, by a remote `far`, and pull by it into another."""
    for name in ("pusher", "puller"):
        clone = cloned(origin, folder / name)
        for setting in settings:
            said(clone, "dvc", "remote", *setting)
    said(folder / "pusher", "dvc", "pull", "--remote", "store")
    assert "files pushed" in said(folder / "pusher", "dvc", "push", "--remote", "far", **environment)
    said(folder / "puller", "dvc", "pull", "--remote", "far", **environment)
    assert planned(folder / "puller") == {}
    table = "results/table3.csv"
    assert (folder / "puller" / table).read_bytes() == (origin / table).read_bytes()


def test_by_ssh(origin, ssh_server, tmp_path):
    port, key = ssh_server
    goes_there_and_back(
        origin,
        tmp_path,
        [
            ["add", "far", f"ssh://lab@127.0.0.1:{port}{tmp_path}/store"],
            ["modify", "--local", "far", "keyfile", str(key)],
        ],
    )
    assert list((tmp_path / "store").rglob("*.dir"))


def test_by_s3(origin, s3_server, tmp_path):
    goes_there_and_back(
        origin,
        tmp_path,
        [["add", "far", "s3://lab/store"], ["modify", "far", "endpointurl", s3_server]],
        **KEYS,
    )
    listed = boto3.client("s3", endpoint_url=s3_server).list_objects_v2(Bucket="lab")
    assert any(item["Key"].endswith(".dir") for item in listed["Contents"])
