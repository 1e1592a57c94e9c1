/*
 * MC146818 real-time clock with CMOS memory at 0x70 and 0x71 (Motorola MC146818A data sheet; the century byte as ACPI's
 * FADT names it). The clock runs by VM time from the moment that rtc_set_time() gives. Pure.
 */
#ifndef VMM_DEVICES_RTC146818_H
#define VMM_DEVICES_RTC146818_H

#include "vmm/devices/bus.h"

#define RTC_PORT    0x70
#define RTC_LINE    8
#define RTC_SIZE    128
#define RTC_CENTURY 0x32

struct rtc146818 {
	struct device device;
	u32 line;
	u8 index;
	u8 cmos[RTC_SIZE]; /* registers; the time in them is what was last computed or written */
	u64 second_ns;	   /* VM time at which the second `seconds` began */
	u64 seconds;	   /* since 1970 */
	u64 checked_ns;	   /* VM time up to which the flags of register C have been found */
	bool level;
	struct device_timer timer; /* the next interrupt that is enabled */
};

void rtc_init(struct rtc146818 *rtc, const struct device_services *services, u32 line);
/* Errors as bus_add_ports(). */
int rtc_attach(struct rtc146818 *rtc, struct bus *bus);
/* What time it is now: seconds since 1970-01-01 00:00:00, before the VM starts. */
void rtc_set_time(struct rtc146818 *rtc, u64 seconds);
/* Fill a byte of CMOS memory from 0x0e on, before the VM starts. */
void rtc_set_cmos(struct rtc146818 *rtc, u8 index, u8 value);

#endif
