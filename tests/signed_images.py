"""Images with real content credentials, signed by c2pa-python under a certificate authority that is thrown away."""

from __future__ import annotations

import functools
import io
from datetime import UTC, datetime
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

CREATED = {
    "label": "c2pa.actions.v2",
    "data": {
        "actions": [
            {
                "action": "c2pa.created",
                "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation",
            }
        ]
    },
}
WITH_THUMBNAIL: dict[str, Any] = {"builder": {"thumbnail": {"enabled": True}}}
SMALL = {"builder": {"thumbnail": {"enabled": False}}}
COMPRESSED: Json = SMALL | {"core": {"prefer_compress_manifests": True}}
FORMATS = ("jpeg", "png", "webp")
_FROM, _UNTIL = datetime(2025, 1, 1, tzinfo=UTC), datetime(2045, 1, 1, tzinfo=UTC)

Json = dict[str, Any]


def assertion(era: str = "cawg", **uses: Any) -> Json:
    """The assertion of an era, each use a word or a whole entry."""
    entries = {f"{era}.{key}": {"use": use} if isinstance(use, str) else use for key, use in uses.items()}
    return {"label": f"{era}.training-mining", "data": {"entries": entries}}


@functools.cache
def picture(container: str = "jpeg") -> bytes:
    """A small image without metadata."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((24, 24)).convert("RGB").save(out, container)
    return out.getvalue()


def signed(container: str, *assertions: Json, settings: Json | None = None, source: bytes = b"") -> bytes:
    """An image that was made and signed, with assertions."""
    return _sign(_builder([CREATED, *assertions], settings), container, source or picture(container))


def edited(container: str, parent: bytes, *assertions: Json) -> bytes:
    """An image that was made out of another, signed one."""
    builder = _builder(assertions)
    builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
    return _sign(builder, container, parent)


def updated(container: str, parent: bytes) -> bytes:
    """The same image with an update manifest: its own manifest has no hash of the content."""
    builder = _builder(())
    builder.set_intent(c2pa.C2paBuilderIntent.UPDATE)
    return _sign(builder, container, parent)


def remote(container: str, url: str, *assertions: Json) -> tuple[bytes, bytes]:
    """An image whose manifest lies at ``url``, as its XMP says, and that manifest."""
    builder = _builder([CREATED, *assertions])
    builder.set_no_embed()
    builder.set_remote_url(url)
    out = io.BytesIO()
    manifest = builder.sign(signer(), f"image/{container}", io.BytesIO(picture(container)), out)
    return out.getvalue(), manifest


def _builder(assertions: Any, settings: Json | None = None) -> Any:
    context = c2pa.Context.from_dict(settings or SMALL)
    said = {"claim_generator_info": [{"name": "test", "version": "1"}], "assertions": list(assertions)}
    return c2pa.Builder(said, context=context)


def _sign(builder: Any, container: str, source: bytes) -> bytes:
    out = io.BytesIO()
    builder.sign(signer(), f"image/{container}", io.BytesIO(source), out)
    return out.getvalue()


@functools.cache
def signer() -> Any:
    """A signer whose certificate nobody trusts."""
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    chain = _pem(_certificate("Signer", leaf, root, ca=False)) + _pem(_certificate("Root", root, root, ca=True))
    key = leaf.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return c2pa.Signer.from_info(c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, chain, key, None))


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, root: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
         "decipher_only"),
        False,
    )  # fmt: skip
    usage |= {"digital_signature": not ca, "key_cert_sign": ca, "crl_sign": ca}
    made = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name("Root"))
        .public_key(key.public_key())
        .serial_number(1 if ca else 2)
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), critical=False)
    )
    if not ca:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return made.sign(root, hashes.SHA256())


def _name(common: str) -> x509.Name:
    parts = {NameOID.COUNTRY_NAME: "DE", NameOID.ORGANIZATION_NAME: "Art Example", NameOID.COMMON_NAME: common}
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts.items()])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
