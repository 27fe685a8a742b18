"""Hold many hostile networks to their files: ``python -m tests.hostile FIRST LAST``."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path

from tests.hostile.attention import attending
from tests.hostile.hold import Held, Outcome, hold
from tests.hostile.networks import hostile


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("first", type=int, help="first seed")
    parser.add_argument("last", type=int, help="the seed after the last one")
    parser.add_argument("--json", type=Path, help="write the counts here")
    parser.add_argument("--log", type=Path, help="write every seed's outcome here")
    parser.add_argument("--attention", action="store_true", help="networks of attention")
    options = parser.parse_args()
    held = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.first, options.last):
            held.append(hold(seed, Path(folder), attending if options.attention else hostile))
            if held[-1].outcome.fault:
                print(f"{seed}: {held[-1].outcome.name}\n{held[-1].detail}\n", flush=True)
    facts = counts(held)
    print(json.dumps(facts, indent=1))
    if options.json:
        options.json.write_text(json.dumps(facts, indent=1) + "\n")
    if options.log:
        options.log.write_text("".join(f"{each.seed}\t{each.outcome.name}\t{each.detail!r}\n" for each in held))
    return int(any(each.outcome.fault for each in held))


def counts(held: list[Held]) -> dict[str, object]:
    """Count outcomes, and the refusals by reason."""
    outcomes = Counter(each.outcome.name.lower() for each in held)
    reasons = Counter(each.reason for each in held if each.outcome is Outcome.REFUSED)
    return {
        "networks": len(held),
        "outcomes": {each.name.lower(): outcomes[each.name.lower()] for each in Outcome},
        "refusals": dict(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
    }


if __name__ == "__main__":
    raise SystemExit(main())
