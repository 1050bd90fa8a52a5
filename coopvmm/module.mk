# SPDX-License-Identifier: BSD-3-Clause
coopvmm_SRCS := $(filter-out coopvmm/main.c coopvmm/vm_main.c,$(wildcard coopvmm/*.c))
# ACPI's DSDT as a C array, dsdt_aml_code.
$(BUILD)/gen/dsdt.hex: coopvmm/dsdt.asl
	@mkdir -p $(@D)
	$(SAY) IASL $@
	$(Q)iasl -p $(@:.hex=) -tc $< >$@.log 2>&1 || { cat $@.log; exit 1; }
$(BUILD)/obj/coopvmm/acpi.o: CPPFLAGS += -I$(BUILD)/gen
$(BUILD)/obj/coopvmm/acpi.o: $(BUILD)/gen/dsdt.hex
# The oracle of what is written for xl: the reader xl itself uses.
$(BUILD)/tests/test_xl: LIBS += -lxlutil
