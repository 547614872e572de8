"""ONNX Runtime Web and ONNX files as scripts: neither WebAssembly nor fetch() can read a file on a file:// page."""

import base64
import gzip
import re
import shutil
from pathlib import Path

from runhive.report.npm import Package

FOLDER = "try-it"
RUNTIME = f"{FOLDER}/runtime.js"
WASM = f"{FOLDER}/wasm.js"
LIBRARY = "onnxruntime-web"
BUNDLE, BINARY = "dist/ort.wasm.bundle.min.mjs", "dist/ort-wasm-simd-threaded.wasm"
LICENCE = ("README.md", "package.json")
EXPORTS = re.compile(r"export\{([^{}]*)\};\s*(//# sourceMappingURL=\S*\s*)?$")


def classic_script(module: str) -> str:
    """The ES *module* of ONNX Runtime Web as a script that sets `ort`: a module cannot be loaded from file://.

    It may load nothing more: the WebAssembly is given to it as bytes.
    """
    exports = EXPORTS.search(module)
    assert exports, "not the bundle of ONNX Runtime Web that is pinned"
    pairs = (name.split(" as ") for name in exports[1].split(","))
    names = ",".join(f"{names[-1].strip()}:{names[0].strip()}" for names in pairs)
    body = module[: exports.start()].replace("import.meta.url", "document.baseURI")
    return f"(()=>{{{body}\nglobalThis.ort={{{names}}};}})();\n"


def packed_model(digest: str, content: bytes) -> bytes:
    """The shard of the ONNX file of this SHA-256."""
    return packed_shard(f"model-{digest}", content)


def packed_shard(name: str, content: bytes) -> bytes:
    """A shard of bytes: gzip in base64, which is a third of WebAssembly's own size."""
    packed = base64.b64encode(gzip.compress(content, mtime=0))
    return b"runhive.shard('%s','\"%s\"');\n" % (name.encode(), packed)


def write_runtime(package: Package, kept: Path, work: Path) -> None:
    """Write ONNX Runtime Web, whose files lie in *kept*, into the site at *work*, with what it says of its licence."""
    bundle, wasm = kept / package.files[BUNDLE], kept / package.files[BINARY]
    (work / FOLDER).mkdir(exist_ok=True)
    for name in LICENCE:
        shutil.copyfile(kept / package.files[name], work / FOLDER / name)
    (work / RUNTIME).write_text(classic_script(bundle.read_text(encoding="utf-8")), encoding="utf-8")
    (work / WASM).write_bytes(packed_shard("ort-wasm", wasm.read_bytes()))


def model_path(digest: str) -> str:
    """Where the site has the model of this SHA-256."""
    return f"models/{digest}.js"
