"""The command behind `make bench-routing`."""

import argparse
import json
from pathlib import Path
from typing import Final

from tests.bench.routing.report import measure, tell

FOLDER: Final = Path(".bench")


def main() -> None:
    """Measure, print tables, write the file."""
    parser = argparse.ArgumentParser(prog="bench-routing", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer instances and a shorter stream")
    figures = measure(quick=parser.parse_args().quick)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "routing.json").write_text(json.dumps(figures, indent=2) + "\n")
    tell(figures)


if __name__ == "__main__":
    main()
