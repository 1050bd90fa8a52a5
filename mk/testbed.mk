# SPDX-License-Identifier: BSD-3-Clause
# Whole machines under emulation: the Xen testbed (tests/testbed/xen). SCENARIOS="40 50" runs some only.
TESTBED_XEN := BUILD=$(BUILD) tests/testbed/xen/run.sh

.PHONY: setup-testbed testbed-xen testbed-xen-shell
testbed-xen: setup-testbed ## Xen, dom0 and guests in QEMU: all scenarios
	@$(MAKE) --no-print-directory all tests
	@$(TESTBED_XEN) $(SCENARIOS)

setup-testbed: setup
	@scripts/setup.sh --testbed

testbed-xen-shell: all tests ## a shell in that dom0
	@$(TESTBED_XEN) --shell
