"""Makes pyramid TIFFs of a folder of masters in three threads, as one would write it in an afternoon."""
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyvips

masters, made, scale = sys.argv[1:]


def pyramid(master):
    image = pyvips.Image.new_from_file(str(master), access="sequential")
    image = image.resize(float(scale))
    image.tiffsave(
        str(Path(made) / (master.stem + ".tif")),
        tile=True,
        tile_width=512,
        tile_height=512,
        pyramid=True,
        compression="deflate",
        predictor="horizontal",
        xres=11.812,
        yres=11.812,
    )


with ThreadPoolExecutor(3) as threads:
    list(threads.map(pyramid, sorted(Path(masters).iterdir())))
