"""`python -m keras_activations`."""

import sys

from keras_activations.cli import main

if __name__ == "__main__":
    sys.exit(main())
