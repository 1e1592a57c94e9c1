// guest: 64
// with: tests/guest/stepping.c tests/guest/breakpoints.c tests/guest/paging64.c tests/guest/registers.c tests/guest/badcr.c tests/guest/badmsr.c tests/guest/msrs.c tests/guest/xsetbv.c tests/guest/shadow.c tests/guest/remap.c tests/guest/nmi.c tests/guest/apic.c tests/guest/cr8.c tests/guest/ioapic.c tests/guest/legacy.c tests/guest/bigrep.c tests/guest/clock.c tests/guest/vectors.c tests/guest/cpuids.c tests/guest/x2apic.c
/* All conformance checks that hold in 64-bit mode, in one boot. */
