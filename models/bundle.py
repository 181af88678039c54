"""Writes a bundle: a ustar archive with the manifest first, then the files it names (docs/models.md)."""

import hashlib
import io
import json
import pathlib
import tarfile


def entry(archive, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mode = 0o644
    archive.addfile(info, io.BytesIO(data))


def write(path, manifest, files):
    """`files` maps names to bytes. The same input gives the same bytes."""
    path = pathlib.Path(path)
    described = [
        {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in files.items()
    ]
    text = json.dumps({"format": 1, **manifest, "files": described}, indent=2, ensure_ascii=False)
    part = path.with_name(path.name + ".part")
    with tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as archive:
        entry(archive, "manifest.json", text.encode())
        for name, data in files.items():
            entry(archive, name, data)
    part.replace(path)
    for file in described:
        print(f"{file['sha256']}  {file['bytes']:>10}  {file['name']}")
    print(path)
