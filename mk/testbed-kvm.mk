# SPDX-License-Identifier: BSD-3-Clause
# The KVM testbed (tests/testbed/kvm): stock guests on the kvm engine. SCENARIOS="20 30" runs some only.
TESTBED_KVM := BUILD=$(BUILD) tests/testbed/kvm/run.sh

.PHONY: testbed-kvm testbed-kvm-shell
testbed-kvm: setup-testbed ## a KVM host and guests in QEMU: all scenarios
	@$(MAKE) --no-print-directory all tests
	@$(TESTBED_KVM) $(SCENARIOS)

testbed-kvm-shell: all tests ## a shell on that host
	@$(TESTBED_KVM) --shell
