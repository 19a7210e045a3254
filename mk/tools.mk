# SPDX-License-Identifier: BSD-3-Clause
# The ravelin command line: build/tools/ravelin for the PC, build/tools/arm64/ravelin (static) for the host.

TOOLS_OUT := $(BUILD)/tools
TOOLS_SRC := $(wildcard tools/ravelin/*.c)
# The corevisor's own check of what an owner signed: `ravelin verify` is no second opinion.
TOOLS_SRC += $(addprefix corevisor/core/,crypto.c manifest.c)
TOOLS_DEP := $(wildcard tools/ravelin/*.h corevisor/include/cv/*.h include/ravelin/*.h sealboot/sealboot.h) mk/tools.mk
TOOLS_CFLAGS := -std=c11 -O2 -g -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wstrict-prototypes -Werror -Iinclude -Icorevisor/include -Isealboot \
	-fstack-protector-strong -D_FORTIFY_SOURCE=2
TOOLS_SYSROOT := $(CACHE)/sysroot

ALL += $(TOOLS_OUT)/ravelin $(TOOLS_OUT)/arm64/ravelin
TESTS += $(TOOLS_OUT)/ravelin $(BUILD)/sealboot/sealboot.bin

$(TOOLS_OUT)/ravelin: $(TOOLS_SRC) $(TOOLS_DEP)
	@mkdir -p $(@D)
	gcc $(TOOLS_CFLAGS) -o $@ $(TOOLS_SRC) -lfdt -lbearssl

# Only the libraries come from the cache; the C library is the cross compiler's own.
$(TOOLS_OUT)/arm64/ravelin: $(TOOLS_SRC) $(TOOLS_DEP)
	@mkdir -p $(@D)
	$(CROSS)gcc $(TOOLS_CFLAGS) -idirafter $(TOOLS_SYSROOT)/usr/include -static -o $@ $(TOOLS_SRC) \
		$(addprefix $(TOOLS_SYSROOT)/usr/lib/aarch64-linux-gnu/,libfdt.a libbearssl.a)
