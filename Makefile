# Trivisor's one Makefile. `make` builds the hypervisor, the loader and the guests into build/.
# Sources are found by folder; a unit test or fuzz target names the pure sources it needs in its first line: // sources: lib/fmt.c ...

BUILD ?= build
CC ?= gcc
NASM ?= nasm

WARN := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wundef -Werror
KERNEL_CFLAGS := -std=c17 -O2 -g $(WARN) -I. -ffreestanding -fno-pic -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fno-omit-frame-pointer -fcf-protection=none -fno-common \
	-fno-tree-loop-distribute-patterns -ffunction-sections -fdata-sections
HOST_CFLAGS := -std=gnu17 -O1 -g $(WARN) -I. -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
DEPS = -MMD -MP -MF $@.d

KERNEL_DIRS := lib core arch/x86_64/cpu arch/x86_64/mmu arch/x86_64/insn arch/x86_64/vmx arch/x86_64/svm drivers vmm vmm/devices vmm/net
KERNEL_C := $(sort $(foreach d,$(KERNEL_DIRS),$(wildcard $(d)/*.c)))
KERNEL_ASM := $(sort $(foreach d,$(KERNEL_DIRS),$(wildcard $(d)/*.asm)))
KERNEL_OBJ := $(KERNEL_C:%.c=$(BUILD)/kernel/%.o) $(KERNEL_ASM:%.asm=$(BUILD)/kernel/%.asm.o)

.PHONY: all kernel unit fuzz clean
all: kernel

kernel: $(BUILD)/trivisor.elf

$(BUILD)/kernel/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(KERNEL_CFLAGS) $(DEPS) -c $< -o $@

$(BUILD)/kernel/%.asm.o: %.asm
	@mkdir -p $(@D)
	$(NASM) -f elf64 -g -F dwarf -MD $@.d -o $@ $<

$(BUILD)/trivisor.elf: $(KERNEL_OBJ) linker.ld
	$(CC) -nostdlib -static -no-pie -Wl,-T,linker.ld,-z,max-page-size=4096,--build-id=none,--gc-sections -o $@ $(KERNEL_OBJ)

# Unit tests: build/unit/test_x is tests/unit/test_x.c and the sources its first line names, on the host under ASan and UBSan.
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
unit: $(UNIT_TESTS)

sources_of = $(shell sed -n '1s,^// sources:,,p' $(1))

.SECONDEXPANSION:
$(BUILD)/unit/test_%: tests/unit/test_%.c $$(call sources_of,tests/unit/test_%.c)
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -Itests/unit -DTEST_DATA='"$(CURDIR)/tests/unit/data"' $(DEPS) -o $@ $(filter %.c,$^) -lcmocka

# Fuzz targets: libFuzzer needs clang.
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz: $(FUZZ_TARGETS)

$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $$(call sources_of,tests/fuzz/fuzz_%.c)
	@mkdir -p $(@D)
	clang -std=gnu17 -O1 -g -Wall -Wextra -I. -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $(DEPS) -o $@ $(filter %.c,$^) $(FUZZ_LIBS_$*)

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
