# SPDX-License-Identifier: GPL-2.0-or-later
# Thin front: hands every target to the part that knows how.
KDIR ?= /lib/modules/$(shell uname -r)/build
KREL := $(notdir $(patsubst %/build,%,$(KDIR:%/=%)))$(if $(PLANT),-planted)
BUILD := $(CURDIR)/build
W ?= 1

all: libctl tools selftests-tools

libctl:
	$(MAKE) -C libctl

tools: libctl
	$(MAKE) -C tools

selftests-tools: libctl
	$(MAKE) -C selftests/tools

# A build tree per kernel, so that two kernels never share an object.
modules:
	mkdir -p $(BUILD)/$(KREL)
	cp -pu Kbuild $(BUILD)/$(KREL)/
	cp -pRu kmod include $(BUILD)/$(KREL)/
	$(MAKE) -C $(KDIR) M=$(BUILD)/$(KREL) W=$(W) modules

modules_install: modules
	$(MAKE) -C $(KDIR) M=$(BUILD)/$(KREL) modules_install

install: all
	$(MAKE) -C libctl install
	$(MAKE) -C tools install

check:
	./check

clean:
	rm -rf $(BUILD)

.PHONY: all libctl tools selftests-tools modules modules_install install check clean
