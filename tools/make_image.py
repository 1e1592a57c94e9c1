"""`./trivisor image`: build everything and write one bootable disk image."""
import sys
from pathlib import Path

from tools import image
from tools.options import parser
from tools.run import HYPERVISOR, LOADER, build, say


def main(arguments):
    """Returns the exit status."""
    options = parser("image").parse_args(arguments)
    say("building")
    if not build():
        say("the build failed")
        return 1
    try:
        image.build(options.config, options.output, LOADER, HYPERVISOR)
    except (image.ImageError, OSError) as error:
        say(error)
        return 1
    say(f"{options.output}: {Path(options.output).stat().st_size >> 20} MiB; "
        f"for a USB stick: dd if={options.output} of=/dev/sdX bs=4M conv=fsync "
        "(sdX: the whole stick, it is overwritten)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
