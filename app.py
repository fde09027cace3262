"""The Space's entry. python app.py [--model FOLDER_OR_REPO]... [--device D] [--host H] [--port P]"""

import sys

from cgan.ui.server import main

if __name__ == "__main__":
    sys.exit(main())
