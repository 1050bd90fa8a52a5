# SPDX-License-Identifier: BSD-3-Clause
# What a checkout needs before and beside building: packages, formatting, lint.
CLANG_FORMAT ?= clang-format
SHELLCHECK   ?= shellcheck
# The suites get variables from a library that is found at run time.
SHELLCHECK_OFF := SC1091,SC2154

# All C there is, whether git knows it yet or not.
c_files = find $(MODULES) tests xen -name '*.[ch]' -not -path '*/build/*'
sh_files = find scripts tests xen .ci -type f \( -name '*.sh' -o -path '.ci/run' \) 2>/dev/null

.PHONY: setup format lint
setup: ## install the Debian packages that are missing
	@scripts/setup.sh

format: ## clang-format on all sources
	@$(c_files) -print0 | xargs -0 $(CLANG_FORMAT) -i

lint: ## formatting, SPDX lines, shell scripts
	@$(c_files) -print0 | xargs -0 $(CLANG_FORMAT) --dry-run -Werror
	@bad=$$(find $(MODULES) tests xen mk scripts \( -name '*.[chS]' -o -name '*.mk' -o -name '*.sh' \
	    -o -name '*.ld' \) -exec grep -L 'SPDX-License-Identifier: BSD-3-Clause' {} +); \
	    if [ -n "$$bad" ]; then echo "no SPDX line:" $$bad; exit 1; fi
	@$(sh_files) | xargs -r $(SHELLCHECK) -S warning -e $(SHELLCHECK_OFF)
	@echo "lint: clean"
