// guest: 32
// with: tests/guest/exceptions.c tests/guest/delivery.c tests/guest/limits.c tests/guest/paging32.c tests/guest/pae.c tests/guest/stepping.c tests/guest/breakpoints.c tests/guest/tasks.c tests/guest/shadow.c tests/guest/nmi.c tests/guest/apic.c tests/guest/ioapic.c tests/guest/legacy.c tests/guest/bigrep.c tests/guest/clock.c tests/guest/cpuids.c tests/guest/x2apic.c
/* All conformance checks that hold in 32-bit protected mode, in one boot. */
