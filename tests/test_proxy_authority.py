"""The certificate authority: its key is its owner's alone, its leaves are short-lived."""

from __future__ import annotations

import base64
import hashlib
import os
import ssl
import stat
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from typer.testing import CliRunner

from consentcrawl.cli import app
from consentcrawl.errors import BadPolicy
from consentcrawl.proxy import authority, certificates
from consentcrawl.proxy.authority import Authority


def test_ours_whatever_the_umask_the_key_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Authority.open(tmp_path / "a")
        Authority.rotate(tmp_path / "a")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "a").iterdir()] == [0o600]


@pytest.mark.parametrize(("directory", "file"), [(0o750, 0o600), (0o701, 0o600), (0o700, 0o640), (0o700, 0o604)])
def test_ours_a_key_that_others_could_have_read_is_not_used(directory: int, file: int, tmp_path: Path) -> None:
    place = tmp_path / "a"
    Authority.open(place)
    (place / "authority.pem").chmod(file)
    place.chmod(directory)
    with pytest.raises(BadPolicy, match="others could have read the key"):
        Authority.open(place)


def test_ours_a_link_to_a_key_is_not_followed(tmp_path: Path) -> None:
    Authority.open(tmp_path / "a")
    (tmp_path / "b").mkdir(mode=0o700)
    (tmp_path / "b" / "authority.pem").symlink_to(tmp_path / "a" / "authority.pem")
    with pytest.raises(BadPolicy, match="no link"):
        Authority.open(tmp_path / "b")


def test_ours_it_is_the_same_one_until_it_is_rotated(tmp_path: Path) -> None:
    first = Authority.open(tmp_path / "a")
    assert Authority.open(tmp_path / "a").certificate_pem == first.certificate_pem
    assert Authority.rotate(tmp_path / "a").fingerprint != first.fingerprint
    assert b"PRIVATE" not in first.certificate_pem


@pytest.mark.parametrize("content", [b"", b"nothing", b"-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----\n"])
def test_ours_what_is_no_key_is_said_so(content: bytes, tmp_path: Path) -> None:
    Authority.open(tmp_path / "a")
    (tmp_path / "a" / "authority.pem").write_bytes(content)
    with pytest.raises(BadPolicy):
        Authority.open(tmp_path / "a")


def test_ours_a_key_of_another_certificate_is_said_so(tmp_path: Path) -> None:
    first, second = (Authority.open(tmp_path / name) for name in "ab")
    file = tmp_path / "a" / "authority.pem"
    file.write_bytes(file.read_bytes().replace(first.certificate_pem, second.certificate_pem))
    with pytest.raises(BadPolicy, match="not that of the certificate"):
        Authority.open(tmp_path / "a")


def test_ours_an_authority_past_its_time_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "ROOT_DAYS", 1)
    with pytest.raises(BadPolicy, match="rotate"):
        Authority.open(tmp_path / "a")


@pytest.mark.parametrize("host", ["art.test", "127.0.0.1", "2001:db8::1", "a" * 60 + "." + "b" * 60 + ".test"])
def test_rfc5280_a_leaf_names_its_host_and_serves_a_week_at_most(host: str) -> None:
    now = datetime.now(UTC)
    key, leaf_key = certificates.new_key(), certificates.new_key()
    root = certificates.root(key, now)
    leaf = certificates.leaf(host, leaf_key, root, key, now)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=7)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == [host]
    leaf.verify_directly_issued_by(root)
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


def test_ours_leaves_are_kept_bounded_and_made_anew_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Authority.open(tmp_path / "a")
    monkeypatch.setattr(authority, "_KEPT", 2)
    first = made.context_for("a.test")
    assert made.context_for("a.test") is first
    for name in ("b.test", "c.test"):
        made.context_for(name)
    assert made.context_for("a.test") is not first
    monkeypatch.setattr(authority, "_LEFT", timedelta(days=8))
    assert made.context_for("a.test") is not made.context_for("a.test")
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["authority.pem"]


def test_ours_the_hash_for_chromium_is_that_of_every_leafs_key(tmp_path: Path) -> None:
    made = Authority.open(tmp_path / "a")
    server = made.context_for("art.test")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client_in, client_out = ssl.MemoryBIO(), ssl.MemoryBIO()
    trusting = ssl.create_default_context(cadata=made.certificate_pem.decode())
    client = trusting.wrap_bio(client_in, client_out, server_hostname="art.test")
    serving = server.wrap_bio(incoming, outgoing, server_side=True)
    for _ in range(4):
        for side in (client, serving):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
            incoming.write(client_out.read())
            client_in.write(outgoing.read())
    der = client.getpeercert(binary_form=True)
    assert der is not None
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    spki = x509.load_der_x509_certificate(der).public_key().public_bytes(serialization.Encoding.DER, form)
    assert base64.b64encode(hashlib.sha256(spki).digest()).decode() == made.spki_sha256


def test_ours_the_command_shows_exports_and_rotates(tmp_path: Path) -> None:
    place = ["--authority", str(tmp_path / "a")]
    runner = CliRunner()
    shown = runner.invoke(app, ["proxy", "ca", "show", *place])
    fingerprint = Authority.open(tmp_path / "a").fingerprint
    assert fingerprint in shown.stdout
    exported = runner.invoke(app, ["proxy", "ca", "export", *place])
    assert exported.stdout.encode() == Authority.open(tmp_path / "a").certificate_pem
    runner.invoke(app, ["proxy", "ca", "export", *place, "-o", str(tmp_path / "ca.pem")])
    assert (tmp_path / "ca.pem").read_bytes() == Authority.open(tmp_path / "a").certificate_pem
    assert fingerprint not in runner.invoke(app, ["proxy", "ca", "rotate", *place]).stdout
    (tmp_path / "a").chmod(0o755)
    assert runner.invoke(app, ["proxy", "ca", "show", *place]).exit_code == 2
