"""Texts of trivisor.conf for machines that run the guests that check what they see."""
from tests.lib import native

# Groups of checks that a machine's guest would not survive; differences.txt says why.
LEFT_OUT = {("qemu", "conform64"): "skip=bad_cr"}
# Guests that ask much of the local APIC.
ASK_APIC = ("conform32", "conform64")


def text(*vms):
    """A machine of these VMs, which tells their exits and ends with the last of them."""
    return "[trivisor]\non-idle = poweroff\nstats = on\n" + "".join(vms)


def vm(name, kernel="", **keys):
    """A VM by its keys. Its kernel is the guest of its own name unless told otherwise."""
    keys = {"extra": "all", "memory": "32M"} | keys
    return f"\n[{name}]\nkernel = {kernel or name}.elf\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())


def without_apic_help():
    """VMs that get no help of the processor with their local APIC."""
    return [vm(f"{guest}-alone", guest, apic_virtualization="off") for guest in ASK_APIC]


def guests(platform):
    """All the guests; where the processor helps with the local APIC, some of them without that help as well."""
    return text(*(vm(guest, extra=LEFT_OUT.get((platform, guest), "all"), cpuid_accounting="on")
                  for guest in native.GUESTS),
                *(without_apic_help() if platform == "bochs" else ()))
