"""``python -m hwgen`` is the command ``hwgen``."""

import sys

from hwgen.cli.main import main

sys.exit(main())
