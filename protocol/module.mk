# SPDX-License-Identifier: BSD-3-Clause
# IOTP: the folder's library for the programs here, and the same files as a library for others:
# libcoopvmm-iotp.a, libcoopvmm-iotp.so.1, iotp.pc (pkg-config's coopvmm-iotp).
protocol_SRCS := $(wildcard protocol/*.c)

exec_prefix ?= $(prefix)
libdir      ?= $(exec_prefix)/lib
includedir  ?= $(prefix)/include

IOTP_SOVERSION := 1
IOTP_HEADERS   := protocol/iotp.h protocol/iotp_vmm.h protocol/iotp_ioc.h protocol/iotp_ctl.h
IOTP_PIC       := $(patsubst %.c,$(BUILD)/pic/%.o,$(protocol_SRCS))
IOTP_SO        := $(BUILD)/libcoopvmm-iotp.so.$(IOTP_SOVERSION)
IOTP_LIBS      := $(BUILD)/libcoopvmm-iotp.a $(IOTP_SO) $(BUILD)/iotp.pc

# For other people's programs: position-independent, and for any CPU of the architecture.
$(BUILD)/pic/protocol/%.o: protocol/%.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CPPFLAGS) $(filter-out -fPIE -march=%,$(CFLAGS)) -fPIC \
	    -MMD -MP -c -o $@ $<

$(BUILD)/libcoopvmm-iotp.a: $(IOTP_PIC)
	@rm -f $@
	$(SAY) AR $@
	$(Q)$(AR) rcs $@ $^

$(IOTP_SO): $(IOTP_PIC) protocol/iotp.map
	$(SAY) LD $@
	$(Q)$(CC) -shared $(SANFLAGS) -Wl,-soname,$(@F) -Wl,--version-script=protocol/iotp.map \
	    $(if $(SAN),,-Wl,-z,defs) -o $@ $(IOTP_PIC)

# Written again each time: prefix is no file make could compare.
.PHONY: iotp-pc-force
$(BUILD)/iotp.pc: protocol/iotp.pc.in iotp-pc-force
	@mkdir -p $(@D)
	@sed -e 's|@prefix@|$(prefix)|g' -e 's|@libdir@|$(libdir)|g' \
	    -e 's|@includedir@|$(includedir)|g' -e 's|@version@|$(VERSION)|g' $< >$@

.PHONY: protocol install-protocol uninstall-protocol
protocol: $(IOTP_LIBS) ## IOTP as a library for other programs

install-protocol: $(IOTP_LIBS) ## its headers, library and pkg-config file into $(DESTDIR)$(prefix)
	install -d $(DESTDIR)$(includedir)/coopvmm $(DESTDIR)$(libdir)/pkgconfig
	install -m 644 $(IOTP_HEADERS) $(DESTDIR)$(includedir)/coopvmm/
	install -m 644 $(BUILD)/libcoopvmm-iotp.a $(DESTDIR)$(libdir)/
	install -m 755 $(IOTP_SO) $(DESTDIR)$(libdir)/
	ln -sf $(notdir $(IOTP_SO)) $(DESTDIR)$(libdir)/libcoopvmm-iotp.so
	install -m 644 $(BUILD)/iotp.pc $(DESTDIR)$(libdir)/pkgconfig/coopvmm-iotp.pc

uninstall-protocol:
	rm -f $(addprefix $(DESTDIR)$(includedir)/coopvmm/,$(notdir $(IOTP_HEADERS)))
	rm -f $(addprefix $(DESTDIR)$(libdir)/,libcoopvmm-iotp.a libcoopvmm-iotp.so \
	    $(notdir $(IOTP_SO)) pkgconfig/coopvmm-iotp.pc)
