"""``python -m hwgen`` is the command ``hwgen``."""

import sys

from hwgen.cli import main

sys.exit(main())
