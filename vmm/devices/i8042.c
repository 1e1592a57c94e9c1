/* Keyboard controller without a keyboard: what is sent to one is never answered. */
#include "vmm/devices/i8042.h"

#define STATUS_OUTPUT_FULL BIT(0)
#define STATUS_SYSTEM	   BIT(2)
#define STATUS_COMMAND	   BIT(3)
#define STATUS_UNLOCKED	   BIT(4)

#define CONFIG_SYSTEM	BIT(2)
#define CONFIG_NO_KEYS	BIT(4)
#define CONFIG_NO_MOUSE BIT(5)

#define COMMAND_READ_CONFIG  0x20
#define COMMAND_WRITE_CONFIG 0x60
#define COMMAND_MOUSE_OFF    0xa7
#define COMMAND_MOUSE_ON     0xa8
#define COMMAND_MOUSE_TEST   0xa9
#define COMMAND_SELF_TEST    0xaa
#define COMMAND_KEYS_TEST    0xab
#define COMMAND_KEYS_OFF     0xad
#define COMMAND_KEYS_ON	     0xae
#define COMMAND_READ_OUTPUT  0xd0
#define COMMAND_WRITE_OUTPUT 0xd1
#define COMMAND_PULSE	     0xf0 /* bits 3:0 low: those lines of the output port are pulsed */

#define OUTPUT_NO_RESET	  BIT(0)
#define OUTPUT_A20	  BIT(1)
#define SELF_TEST_PASSED  0x55
#define CLOCK_STUCK_LOW	  0x01 /* an interface test's answer: nothing is connected */

static struct i8042 *controller_of(struct device *device)
{
	return CONTAINER_OF(device, struct i8042, device);
}

static void answer(struct i8042 *controller, u8 byte)
{
	controller->output = byte;
	controller->full = true;
}

static void reset_machine(struct i8042 *controller)
{
	controller->device.services->reset(controller->device.services->context, "keyboard controller");
}

static void run_command(struct i8042 *controller, u8 command)
{
	u8 *configuration = &controller->configuration;

	switch (command) {
	case COMMAND_READ_CONFIG:
		answer(controller, *configuration);
		break;
	case COMMAND_WRITE_CONFIG:
	case COMMAND_WRITE_OUTPUT:
		controller->command = command;
		break;
	case COMMAND_MOUSE_OFF:
		*configuration |= (u8)CONFIG_NO_MOUSE;
		break;
	case COMMAND_MOUSE_ON:
		*configuration &= (u8)~CONFIG_NO_MOUSE;
		break;
	case COMMAND_KEYS_OFF:
		*configuration |= (u8)CONFIG_NO_KEYS;
		break;
	case COMMAND_KEYS_ON:
		*configuration &= (u8)~CONFIG_NO_KEYS;
		break;
	case COMMAND_SELF_TEST:
		*configuration |= (u8)CONFIG_SYSTEM;
		answer(controller, SELF_TEST_PASSED);
		break;
	case COMMAND_MOUSE_TEST:
	case COMMAND_KEYS_TEST:
		answer(controller, CLOCK_STUCK_LOW);
		break;
	case COMMAND_READ_OUTPUT:
		answer(controller, OUTPUT_NO_RESET | OUTPUT_A20);
		break;
	default:
		if (command >= COMMAND_PULSE && !(command & OUTPUT_NO_RESET))
			reset_machine(controller);
		break;
	}
}

/* A20 stays on whatever is written, as at port 0x92. */
static void take_data(struct i8042 *controller, u8 byte)
{
	u8 command = controller->command;

	controller->command = 0;
	if (command == COMMAND_WRITE_CONFIG)
		controller->configuration = byte;
	else if (command == COMMAND_WRITE_OUTPUT && !(byte & OUTPUT_NO_RESET))
		reset_machine(controller);
}

static u8 read_data(struct i8042 *controller)
{
	controller->full = false;
	return controller->output;
}

static u8 read_status(const struct i8042 *controller)
{
	return (u8)(STATUS_UNLOCKED | (controller->full ? STATUS_OUTPUT_FULL : 0) |
		    (controller->configuration & CONFIG_SYSTEM ? STATUS_SYSTEM : 0) |
		    (controller->was_command ? STATUS_COMMAND : 0));
}

enum { RANGE_DATA, RANGE_COMMAND };

static enum device_answer i8042_read(struct device *device, u32 range, UNUSED u16 offset, UNUSED u8 size, u32 *value)
{
	struct i8042 *controller = controller_of(device);

	*value = range == RANGE_DATA ? read_data(controller) : read_status(controller);
	return DEVICE_DONE;
}

static enum device_answer i8042_write(struct device *device, u32 range, UNUSED u16 offset, UNUSED u8 size, u32 value)
{
	struct i8042 *controller = controller_of(device);

	controller->was_command = range == RANGE_COMMAND;
	if (range == RANGE_COMMAND)
		run_command(controller, (u8)value);
	else
		take_data(controller, (u8)value);
	return DEVICE_DONE;
}

static void i8042_reset(struct device *device)
{
	struct i8042 *controller = controller_of(device);

	*controller = (struct i8042){.device = controller->device, .configuration = CONFIG_NO_KEYS | CONFIG_NO_MOUSE};
}

static const struct device_ops i8042_ops = {
	.name = "i8042",
	.port_read = i8042_read,
	.port_write = i8042_write,
	.reset = i8042_reset,
};

void i8042_init(struct i8042 *controller, const struct device_services *services)
{
	*controller = (struct i8042){.device = {.ops = &i8042_ops, .services = services}};
	controller->configuration = CONFIG_NO_KEYS | CONFIG_NO_MOUSE;
}

int i8042_attach(struct i8042 *controller, struct bus *bus)
{
	int error = bus_add_ports(bus, &controller->device, RANGE_DATA, I8042_DATA_PORT, I8042_DATA_PORT);

	return error ? error : bus_add_ports(bus, &controller->device, RANGE_COMMAND, I8042_COMMAND_PORT,
					     I8042_COMMAND_PORT);
}
