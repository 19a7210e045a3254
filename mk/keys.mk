# SPDX-License-Identifier: BSD-3-Clause
# Guest owners' keys, made once per build directory and never part of the tree: build/keys/owner.pem signs the guests of
# the test machine, build/keys/test.pem the test images.

KEYS_OUT := $(BUILD)/keys

.PRECIOUS: $(KEYS_OUT)/%.pem
$(KEYS_OUT)/%_p384.pem: KEY_CURVE := p384
KEY_CURVE := p256

# Order only: a newer program is no reason for another owner.
$(KEYS_OUT)/%.pem: | $(BUILD)/tools/ravelin
	@mkdir -p $(@D)
	$(BUILD)/tools/ravelin keygen --curve $(KEY_CURVE) --public $(KEYS_OUT)/$*.pub -o $@ >/dev/null
