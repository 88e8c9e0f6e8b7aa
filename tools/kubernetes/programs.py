"""What the programs are, read from their sources: names, default ports, variables, and whom they call."""

import dataclasses
import re

from render import ROOT

# Whom a service calls: it takes the endpoints of the others as its options.
CALLED = re.compile(r'peers\(\s*endpoints\.clone\(\),\s*\[([^\]]*)\]', re.S)
PERMISSION = re.compile(r'const PERMISSION: &\'?(?:static )?str = "(\w+)\.')


@dataclasses.dataclass
class Programs:
    # Port by name of the service.
    ports: dict
    # All variables that any program reads.
    variables: set
    # Names of the services called, by the caller's.
    calls: dict
    # Names of all programs.
    binaries: set


def read():
    ports, calls, binaries, variables = {}, {}, {"tandem"}, set()
    for folder in sorted((ROOT / "services").iterdir()):
        text = (folder / "src" / "lib.rs").read_text()
        ports[folder.name] = int(re.search(r"const DEFAULT_PORT: u16 = (\d+);", text)[1])
        binaries.add(re.search(r'^name = "(.*)"', (folder / "Cargo.toml").read_text(), re.M)[1])
        permissions = re.findall(r'"(\w+)\.', "".join(CALLED.findall(text)))
        if "PERMISSION" in "".join(CALLED.findall(text)):
            sources = (path.read_text() for path in (folder / "src").rglob("*.rs"))
            permissions += [found for source in sources for found in PERMISSION.findall(source)]
        calls[folder.name] = set(permissions)
    for part in ["libs", "services", "cli"]:
        for source in (ROOT / part).glob("**/src/**/*.rs"):
            variables.update(re.findall(r'env = "(TANDEM_\w+)"', source.read_text()))
    return Programs(ports, variables, calls, binaries)
