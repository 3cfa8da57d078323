"""`python -m server` is the `laurel` command."""

import sys

from server.cli.main import main

sys.exit(main())
