"""The certificate of a mail listener: two files of this machine, read anew when they change."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

CERTIFICATE = "certificate"
KEY = "key"
"""The options that name them; the key may stand in the certificate's file."""


class Certificate:
    """What a listener shows of itself. Raises OSError where it cannot be read."""

    def __init__(self, certificate: Path, key: Path | None) -> None:
        self._certificate = certificate
        self._key = key
        self._stamp = self._changed()
        self._context = self._loaded()

    @property
    def context(self) -> ssl.SSLContext:
        """What a conversation is encrypted with; while new files are half there, the old one."""
        try:
            stamp = self._changed()
            if stamp != self._stamp:
                self._context = self._loaded()
                self._stamp = stamp
        except OSError:
            pass
        return self._context

    def _changed(self) -> tuple[int, ...]:
        paths = (self._certificate, self._key or self._certificate)
        return tuple(path.stat().st_mtime_ns for path in paths)

    def _loaded(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # No prompt for a password: nobody sits there.
        context.load_cert_chain(self._certificate, self._key, password="")
        return context


def certificate_of(options: Mapping[str, str]) -> Certificate | None:
    """The certificate that a connection names, if it names one. Raises OSError, ssl.SSLError."""
    named = options.get(CERTIFICATE)
    if not named:
        return None
    key = options.get(KEY)
    return Certificate(Path(named), Path(key) if key else None)


def wrong_files(options: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with the files that a connection names, by option."""
    certificate, key = options.get(CERTIFICATE), options.get(KEY)
    if not certificate:
        return {KEY: "it goes with a certificate"} if key else {}
    wrong = {
        name: "write the whole path of a PEM file, such as /etc/ssl/private/mail.pem"
        for name, path in ((CERTIFICATE, certificate), (KEY, key))
        if path and not Path(path).is_absolute()
    }
    if wrong:
        return wrong
    try:
        certificate_of(options)
    except (OSError, ValueError):
        return {CERTIFICATE: "this certificate and its key cannot be read there"}
    return {}
