"""Settings of adapters that trade files with a partner: how its server is reached, and where files lie there."""

from typing import Annotated

import msgspec

from hub.sdk.folders import Folders
from hub.sdk.redaction import Masked
from hub.sdk.wire import Ssh

Secret = Annotated[str | None, msgspec.Meta(extra_json_schema={"x-secret": True})]


class FileServer(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of such settings. The folders are the adapter's to name; the merchant may name others."""

    base_url: str | None = None
    """`sftp://host` or `sftp://host:port`."""
    username: str = ""
    password: Secret = None
    private_key: Secret = None
    """PEM or OpenSSH text, instead of a password."""
    passphrase: Secret = None
    host_keys: tuple[str, ...] = ()
    """What the server must show: `SHA256:...` fingerprints or public keys. The connection test names what it shows."""

    incoming: str
    """Where the partner puts files for us."""
    claimed: str
    archive: str
    error: str
    staging: str | None = "crossdock"
    """A folder of ours on the same disk, for files on their way and receipts; see the adapter's README.md."""
    pattern: str = "*"
    settle_seconds: float = 10.0
    done_suffix: str | None = None

    def login(self) -> Ssh:
        """How the server is logged in to; an empty secret is none."""
        return Ssh(
            username=self.username,
            password=self.password or None,
            private_key=self.private_key or None,
            passphrase=self.passphrase or None,
            host_keys=self.host_keys,
        )

    def folders(self) -> Folders:
        """Where files are taken from and put away."""
        return Folders(
            incoming=self.incoming,
            claimed=self.claimed,
            archive=self.archive,
            error=self.error,
            pattern=self.pattern,
            settle_seconds=self.settle_seconds,
            done_suffix=self.done_suffix,
        )
