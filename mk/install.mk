# SPDX-License-Identifier: BSD-3-Clause
# make install and uninstall: programs, manuals, completion, systemd unit, examples. The protocol
# library's files are installed by install-protocol, where protocol/ defines it.
INSTALL     ?= install
exec_prefix ?= $(prefix)
bindir      ?= $(exec_prefix)/bin
libexecdir  ?= $(exec_prefix)/libexec
datadir     ?= $(prefix)/share
mandir      ?= $(datadir)/man
docdir      ?= $(datadir)/doc/coopvmm
bashcompdir ?= $(datadir)/bash-completion/completions
zshcompdir  ?= $(datadir)/zsh/site-functions
unitdir     ?= $(prefix)/lib/systemd/system

MAN1 := $(wildcard docs/man/*.1)
MAN5 := $(wildcard docs/man/*.5)
MAN8 := $(wildcard docs/man/*.8)
EXAMPLES := $(wildcard config/examples/*.yaml)
# The children of `coopvmm run` are no commands for people: they live in libexec.
CHILDREN := $(BUILD)/coopvmm-iocored $(BUILD)/coopvmm-vm
# The guest the examples boot; installed examples name it where it is installed.
PROBE := $(BUILD)/guest/probe.elf

D := $(DESTDIR)

.PHONY: install uninstall install-programs install-man install-completion install-unit install-doc
install: install-programs install-man install-completion install-unit install-doc install-protocol ## into $(DESTDIR)$(prefix)

install-programs: $(PROGRAMS) $(PROBE)
	$(INSTALL) -d $(D)$(bindir) $(D)$(libexecdir)/coopvmm
	$(INSTALL) -m 755 $(BUILD)/coopvmm $(D)$(bindir)/coopvmm
	$(INSTALL) -m 755 $(CHILDREN) $(D)$(libexecdir)/coopvmm/
	$(INSTALL) -m 644 $(PROBE) $(D)$(libexecdir)/coopvmm/

install-man:
	$(INSTALL) -d $(D)$(mandir)/man1 $(D)$(mandir)/man5 $(D)$(mandir)/man8
	$(if $(MAN1),$(INSTALL) -m 644 $(MAN1) $(D)$(mandir)/man1/)
	$(if $(MAN5),$(INSTALL) -m 644 $(MAN5) $(D)$(mandir)/man5/)
	$(if $(MAN8),$(INSTALL) -m 644 $(MAN8) $(D)$(mandir)/man8/)

install-completion: $(BUILD)/coopvmm
	$(INSTALL) -d $(D)$(bashcompdir) $(D)$(zshcompdir)
	$(BUILD)/coopvmm completion bash >$(D)$(bashcompdir)/coopvmm
	$(BUILD)/coopvmm completion zsh >$(D)$(zshcompdir)/_coopvmm

install-unit:
	$(INSTALL) -d $(D)$(unitdir)
	sed -e 's|@bindir@|$(bindir)|g' scripts/coopvmm@.service.in >$(D)$(unitdir)/coopvmm@.service

install-doc:
	$(INSTALL) -d $(D)$(docdir)/examples
	$(INSTALL) -m 644 README.md LICENSE $(wildcard docs/*.md) $(D)$(docdir)/
	for f in $(EXAMPLES); do \
	    sed -e 's|../../build/guest/|$(libexecdir)/coopvmm/|' $$f \
	        >$(D)$(docdir)/examples/$${f##*/} || exit 1; done

uninstall: uninstall-protocol ## remove what install put there
	rm -f $(D)$(bindir)/coopvmm $(D)$(unitdir)/coopvmm@.service
	rm -f $(D)$(bashcompdir)/coopvmm $(D)$(zshcompdir)/_coopvmm
	rm -f $(addprefix $(D)$(mandir)/man1/,$(notdir $(MAN1)))
	rm -f $(addprefix $(D)$(mandir)/man5/,$(notdir $(MAN5)))
	rm -f $(addprefix $(D)$(mandir)/man8/,$(notdir $(MAN8)))
	rm -rf $(D)$(libexecdir)/coopvmm $(D)$(docdir)
