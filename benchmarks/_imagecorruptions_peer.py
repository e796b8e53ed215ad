"""The peer of corruptions.py: runs in an old environment of its own, and answers how long its corruptions take.

Reads lines of JSON (name, severity, number of images), applies `imagecorruptions.corrupt` to each of so many images,
and writes a line of JSON with the seconds. The images are the bytes [image, height, width, 3] of a file of numpy.
"""

import contextlib
import io
import json
import sys
import time
from importlib.metadata import version

import cv2
import numpy as np
from imagecorruptions import corrupt

PACKAGES = ("imagecorruptions", "numpy", "opencv-python-headless", "scikit-image", "scipy", "Pillow")


def main() -> None:
    """Say what runs here, then answer until the questions end."""
    cv2.setNumThreads(1)
    images = np.load(sys.argv[1])
    np.random.seed(0)  # noqa: NPY002 - the package draws from the global state
    versions = {name: version(name) for name in PACKAGES}
    print(json.dumps({"python": sys.version.split()[0], **versions}), flush=True)
    for line in sys.stdin:
        name, severity, count = json.loads(line)
        with contextlib.redirect_stdout(io.StringIO()):  # some corruptions print what they could not do
            start = time.perf_counter()
            for image in images[:count]:
                corrupt(image, corruption_name=name, severity=severity)
            seconds = time.perf_counter() - start
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main()
