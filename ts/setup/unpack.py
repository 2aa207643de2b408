"""Unpacks wheels: python3 unpack.py FOLDER SKIP-PATTERN WHEEL...

Of the wheel `torch` only what an addon builds against and loads is taken: headers, libraries, version, licence.
Prints `total BYTES` first, then `done BYTES` now and then. Member names are checked by zipfile, contents by CRC.
"""

import re
import sys
import zipfile

CHUNK = 1 << 20
TORCH = re.compile(r"torch/(include/|lib/|version\.py$)|torch-[^/]+\.dist-info/")


def wanted(name: str, skip: "re.Pattern[str]") -> bool:
    if name.endswith("/") or skip.search(name):
        return False
    of_torch = re.match(r"(torch|torchgen|functorch|torch-[^/]+\.dist-info)/", name)
    return bool(TORCH.match(name)) if of_torch else True


def main(folder: str, skip: str, wheels: "list[str]") -> None:
    pattern = re.compile(skip)
    archives = [zipfile.ZipFile(wheel) for wheel in wheels]
    members = [(archive, info) for archive in archives for info in archive.infolist() if wanted(info.filename, pattern)]
    print("total", sum(info.file_size for _, info in members), flush=True)
    done = shown = 0
    for archive, info in members:
        archive.extract(info, folder)
        done += info.file_size
        if done - shown >= CHUNK:
            shown = done
            print("done", done, flush=True)


main(sys.argv[1], sys.argv[2], sys.argv[3:])
