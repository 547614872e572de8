"""A section of report/npm.toml: `python tests/npm_lock.py uplot@1.6.32 dist/uPlot.iife.min.js LICENSE`."""

import base64
import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory


def main(wanted: str, *files: str) -> None:
    """Print the pins of *files* of the package *wanted*, as npm's registry has it now."""
    name, _, version = wanted.rpartition("@")
    with TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", wanted, "--silent", "--pack-destination", folder], check=True, stdout=sys.stderr)
        (packed,) = Path(folder).glob("*.tgz")
        integrity = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
        print(f'[{name}]\nversion = "{version}"\nintegrity = "sha512-{integrity}"\n[{name}.files]')
        with tarfile.open(packed) as archive:
            for file in files:
                content = archive.extractfile(f"package/{file}")
                assert content, file
                print(f'"{file}" = "{hashlib.sha256(content.read()).hexdigest()}"')


if __name__ == "__main__":
    main(*sys.argv[1:])
