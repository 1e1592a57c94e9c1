# Trivisor's one Makefile. `make` builds the hypervisor, the loader and the guests into build/.
# Sources are found by folder; a unit test or fuzz target names the pure sources it needs in its first line: // sources: lib/fmt.c ...

BUILD ?= build

# Short lines unless V=1.
Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1)  $(2)")
ifeq ($(origin CC),default)
CC := gcc
endif
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

.PHONY: all kernel loader guests unit fuzz clean
all: kernel loader guests

kernel: $(BUILD)/trivisor.elf

$(BUILD)/kernel/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(KERNEL_CFLAGS) $(DEPS) -c $< -o $@

# What every exit runs through. A backtrace through one of these passes over its caller, which is always the same.
# Nothing of ours needs a stack aligned to 16 bytes, since we use no SSE.
HOT := vmm/run vmm/memory vmm/guest_memory_demand arch/x86_64/mmu/pt arch/x86_64/mmu/temp arch/x86_64/mmu/root arch/x86_64/vmx/ept \
	vmm/core vmm/sched vmm/sched_round_robin arch/x86_64/vmx/vcpu arch/x86_64/vmx/current arch/x86_64/cpu/xstate arch/x86_64/cpu/features \
	vmm/cpuid vmm/msr vmm/hypercall vmm/io arch/x86_64/vmx/run arch/x86_64/vmx/exit \
	vmm/apic vmm/event vmm/services vmm/timer vmm/vcpu_regs vmm/devices/bus vmm/devices/pic8259 vmm/devices/uart16550 \
	vmm/memory vmm/mmio vmm/fetch vmm/segment vmm/guest_memory vmm/devices/ioapic \
	arch/x86_64/insn/emulate arch/x86_64/insn/emulate_table arch/x86_64/insn/alu \
	vmm/devices/vlapic vmm/devices/vlapic_irq vmm/devices/vlapic_msr vmm/devices/vlapic_timer arch/x86_64/vmx/event arch/x86_64/vmx/registers
$(HOT:%=$(BUILD)/kernel/%.o): KERNEL_CFLAGS += -fomit-frame-pointer -mpreferred-stack-boundary=3 -fno-tree-reassoc

$(BUILD)/kernel/%.asm.o: %.asm
	@mkdir -p $(@D)
	$(call say,ASM,$@)
	$(Q)$(NASM) -f elf64 -g -F dwarf -I $(BUILD)/ -MD $@.d -o $@ $<

# The framebuffer's font is Debian's (console-setup-linux), unpacked here and never committed.
FONT ?= /usr/share/consolefonts/Lat15-VGA16.psf.gz
$(BUILD)/font.psf: $(FONT)
	@mkdir -p $(@D)
	gzip -dc $< > $@
$(BUILD)/kernel/drivers/font.asm.o: $(BUILD)/font.psf

# The guests' DSDT.
$(BUILD)/dsdt.aml: vmm/dsdt.asl
	@mkdir -p $(@D)
	iasl -we -p $@ $< > $@.log || { cat $@.log; false; }
$(BUILD)/kernel/vmm/dsdt_aml.asm.o: $(BUILD)/dsdt.aml

# Linked twice: the first image's function names become a table that the second embeds, behind all code, so that nothing moves.
KERNEL_LINK = $(CC) -nostdlib -static -no-pie -Wl,-T,linker.ld,-z,max-page-size=4096,--build-id=none,--gc-sections,-z,noexecstack -o $@ $(filter %.o,$^)
$(BUILD)/symbols-none.asm: tools/symbols
	@mkdir -p $(@D)
	$(Q)tools/symbols > $@
$(BUILD)/symbols-all.asm: $(BUILD)/trivisor-unnamed.elf tools/symbols
	$(Q)tools/symbols $< > $@
$(BUILD)/symbols%.o: $(BUILD)/symbols%.asm
	$(call say,ASM,$@)
	$(Q)$(NASM) -f elf64 -o $@ $<
$(BUILD)/trivisor-unnamed.elf: $(KERNEL_OBJ) $(BUILD)/symbols-none.o linker.ld
	$(call say,LINK,$@)
	$(Q)$(KERNEL_LINK)
$(BUILD)/trivisor.elf: $(KERNEL_OBJ) $(BUILD)/symbols-all.o linker.ld
	$(call say,LINK,$@)
	$(Q)$(KERNEL_LINK)
	$(Q)tools/symbols $@ | cmp - $(BUILD)/symbols-all.asm

# Guests: build/guests/x.elf is guests/x/ or tests/guest/x.c with guests/lib; the first line of x.c says the width: // guest: 32
# Its second line may name more sources: // with: tests/guest/y.c
# With "// guest: 32 64" the folder is built for both, and x.elf carries x64.elf inside, which it starts when it is done.
GUEST_CFLAGS := -std=gnu17 -O2 -g $(WARN) -I. -ffreestanding -fno-pic -mno-red-zone -mgeneral-regs-only -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fcf-protection=none -fno-common -fno-tree-loop-distribute-patterns
GUEST_LINK := -nostdlib -static -no-pie -Wl,-T,guests/lib/guest.ld,-z,max-page-size=4096,--build-id=none
GUEST_SECOND_BASE := 0x400000
GUEST_MACHINE_32 := i386
GUEST_MACHINE_64 := amd64
guest_main = $(firstword $(wildcard guests/$(1)/$(1).c tests/guest/$(1)/$(1).c tests/guest/$(1).c))
guest_widths = $(shell sed -n '1s,^// guest: ,,p' $(call guest_main,$(1)))
guest_folders = $(addsuffix /,guests/$(1) tests/guest/$(1) guests/lib)
guest_with = $(shell sed -n '2s,^// with: ,,p' $(call guest_main,$(1)))
guest_sources = $(sort $(filter tests/guest/$(1).c,$(call guest_main,$(1))) $(call guest_with,$(1)) $(wildcard $(foreach f,$(call guest_folders,$(1)), \
	$(addprefix $(f),*.c *.asm $(GUEST_MACHINE_$(2))/*.c $(GUEST_MACHINE_$(2))/*.asm))))
guest_objects = $(patsubst %,$(BUILD)/guest$(2)/%.o,$(basename $(filter %.c,$(1))) $(filter %.asm,$(1)))

# Where there is a recipe there is no kernel of ours.
RECIPES := $(patsubst guests/%/recipe,%,$(wildcard guests/*/recipe))
GUEST_NAMES := $(filter-out lib $(RECIPES),$(notdir $(patsubst %/,%,$(wildcard guests/*/ tests/guest/*/)))) \
	$(basename $(notdir $(wildcard tests/guest/*.c)))
guests: $(GUEST_NAMES:%=$(BUILD)/guests/%.elf) $(patsubst %,$(BUILD)/%,$(wildcard guests/*.conf guests/*.txt))

# What tests/guest/mmio tries is what the list says.
$(BUILD)/instructions.h: docs/instructions.md tools/instruction_list
	@mkdir -p $(@D)
	$(Q)tools/instruction_list $< > $@
$(foreach w,32 64,$(BUILD)/guest$(w)/tests/guest/mmio/encode.o): $(BUILD)/instructions.h
$(foreach w,32 64,$(BUILD)/guest$(w)/tests/guest/mmio/encode.o): GUEST_CFLAGS += -include $(BUILD)/instructions.h

$(BUILD)/guest32/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -m32 $(GUEST_CFLAGS) $(DEPS) -c $< -o $@

$(BUILD)/guest64/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -m64 $(GUEST_CFLAGS) $(DEPS) -c $< -o $@

$(BUILD)/guest32/%.asm.o: %.asm
	@mkdir -p $(@D)
	$(call say,ASM,$@)
	$(Q)$(NASM) -f elf32 -g -F dwarf -MD $@.d -o $@ $<

$(BUILD)/guest64/%.asm.o: %.asm
	@mkdir -p $(@D)
	$(call say,ASM,$@)
	$(Q)$(NASM) -f elf64 -g -F dwarf -MD $@.d -o $@ $<

$(BUILD)/guest32/%.second.o: $(BUILD)/guests/%64.elf guests/lib/i386/second.inc
	@mkdir -p $(@D)
	objcopy -S $< $@.elf
	$(call say,ASM,$@)
	$(Q)$(NASM) -f elf32 -DIMAGE='"$@.elf"' -o $@ guests/lib/i386/second.inc

# $(1) name, $(2) width, $(3) file, $(4) the second half's object if there is one, $(5) more for the link
define guest_rule
$(BUILD)/guests/$(3).elf: $(call guest_objects,$(call guest_sources,$(1),$(2)),$(2)) $(4) guests/lib/guest.ld
	@mkdir -p $$(@D)
	$(call say,LINK,$$@)
	$(Q)$(CC) -m$(2) $(5) $(GUEST_LINK) -o $$@ $$(filter %.o,$$^)
endef
define guest_rules
$(if $(word 2,$(2)),$(call guest_rule,$(1),32,$(1),$(BUILD)/guest32/$(1).second.o))
$(if $(word 2,$(2)),$(call guest_rule,$(1),64,$(1)64,,-Wl$(COMMA)--defsym=guest_base=$(GUEST_SECOND_BASE)))
$(if $(word 2,$(2)),,$(call guest_rule,$(1),$(2),$(1)))
endef
COMMA := ,
$(foreach g,$(GUEST_NAMES),$(eval $(call guest_rules,$(g),$(call guest_widths,$(g)))))

$(BUILD)/guests/%: guests/%
	@mkdir -p $(@D)
	cp $< $@

# Guests from Debian's packages. Apart from `all`, since they need the package archive; packages are kept in .cache/debs.
.PHONY: $(RECIPES)
$(RECIPES): %: $(BUILD)/guests/%/version
$(RECIPES:%=$(BUILD)/guests/%/version): $(BUILD)/guests/%/version: guests/%/recipe guests/debian.sh guests/linux/init $(wildcard guests/linux/run/*)
	$< .cache/debs $(@D)
$(BUILD)/guests/vmlinux/version: $(BUILD)/guests/linux/version $(BUILD)/guests/linux32/version

# The same with one program more, which measures: Linux unpacks archives that follow one another.
.PHONY: linux-bench
linux-bench: $(BUILD)/guests/linux-bench.initrd
$(BUILD)/bench-linux/bench: tests/bench/linux/init.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 $(WARN) -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -nostdlib -static -o $@ $<
$(BUILD)/guests/linux-bench.initrd: $(BUILD)/bench-linux/bench $(BUILD)/guests/linux/version
	cd $(<D) && echo bench | cpio --quiet --reproducible -o -H newc -R 0:0 | cat ../guests/linux/initrd - > ../guests/linux-bench.initrd

# The loader: a UEFI application by Debian's gnu-efi, whose start code relocates it. Of gnu-efi's library nothing is used.
GNUEFI_LIB ?= /usr/lib
LOADER_CFLAGS := -std=c17 -O2 -g $(WARN) -I. -isystem /usr/include/efi -isystem /usr/include/efi/x86_64 -ffreestanding -fpic \
	-fvisibility=hidden -fshort-wchar -mno-red-zone -mgeneral-regs-only -maccumulate-outgoing-args -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fcf-protection=none -fno-common -fno-tree-loop-distribute-patterns \
	-DGNU_EFI_USE_MS_ABI -DHAVE_USE_MS_ABI
LOADER_C := $(sort $(wildcard boot/*.c)) lib/calendar.c lib/fmt.c lib/ini.c lib/string.c
LOADER_OBJ := $(LOADER_C:%.c=$(BUILD)/loader/%.o)

loader: $(BUILD)/BOOTX64.EFI

$(BUILD)/loader/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(LOADER_CFLAGS) $(DEPS) -c $< -o $@

$(BUILD)/loader/loader.so: $(LOADER_OBJ)
	$(LD) -nostdlib -shared -Bsymbolic -znocombreloc -znoexecstack --no-undefined -T $(GNUEFI_LIB)/elf_x86_64_efi.lds \
		-o $@ $(GNUEFI_LIB)/crt0-efi-x86_64.o $(LOADER_OBJ) $(GNUEFI_LIB)/libgnuefi.a

$(BUILD)/BOOTX64.EFI: $(BUILD)/loader/loader.so
	objcopy -j .text -j .sdata -j .data -j .dynamic -j .dynsym -j .rel -j .rela -j .rel.* -j .rela.* -j .reloc \
		--output-target=efi-app-x86_64 --subsystem=10 $< $@

# Unit tests: build/unit/test_x is tests/unit/test_x.c and the sources its first line names, on the host under ASan and UBSan.
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
unit: $(UNIT_TESTS)

sources_of = $(shell sed -n '1s,^// sources:,,p' $(1))

.SECONDEXPANSION:
$(BUILD)/unit/test_%: tests/unit/test_%.c $$(call sources_of,tests/unit/test_%.c)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -Itests/unit -DTEST_DATA='"$(CURDIR)/tests/unit/data"' $(DEPS) -o $@ $< $(call sources_of,$<) -lcmocka

# Fuzz targets: libFuzzer needs clang.
FUZZ_LIBS_decode := -lZydis
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz: $(FUZZ_TARGETS) $(BUILD)/fuzz/decode_all

# No fuzzer, but what it compares.
$(BUILD)/fuzz/decode_all: tests/fuzz/decode_all.c $(call sources_of,tests/fuzz/decode_all.c)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -O2 $(DEPS) -o $@ $< $(call sources_of,$<) -lZydis

$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $$(call sources_of,tests/fuzz/fuzz_%.c)
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)clang -std=gnu17 -O1 -g -Wall -Wextra -Wno-missing-field-initializers -Werror -I. -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $(DEPS) -o $@ $< $(call sources_of,$<) $(FUZZ_LIBS_$*)

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
