# SPDX-License-Identifier: BSD-3-Clause
# Tests that are no C suites of their own.

# IOTP as other projects use it: installed into a root of its own, found by pkg-config, from C++.
IOTP_ROOT := $(BUILD)/iotp-root
IOTP_PKGCONFIG := PKG_CONFIG_SYSROOT_DIR=$(abspath $(IOTP_ROOT)) \
    PKG_CONFIG_LIBDIR=$(abspath $(IOTP_ROOT))/usr/lib/pkgconfig pkg-config

$(IOTP_ROOT)/installed: $(BUILD)/libcoopvmm-iotp.a $(IOTP_SO) $(IOTP_HEADERS) protocol/iotp.pc.in
	@rm -rf $(IOTP_ROOT)
	$(Q)$(MAKE) --no-print-directory -s install-protocol DESTDIR=$(abspath $(IOTP_ROOT)) prefix=/usr
	@touch $@

$(BUILD)/tests/iotp_cxx: tests/unit/iotp_cxx.cc $(IOTP_ROOT)/installed
	@mkdir -p $(@D)
	$(SAY) CXX $@
	$(Q)$(CXX) -std=c++17 $(OPT) -Wall -Wextra -Werror $(SANFLAGS) -o $@ $< \
	    $$($(IOTP_PKGCONFIG) --cflags --libs coopvmm-iotp) \
	    -Wl,-rpath,$(abspath $(IOTP_ROOT))/usr/lib -lpthread

EXTRA_TESTS += $(BUILD)/tests/iotp_cxx
tests: $(BUILD)/tests/iotp_cxx
