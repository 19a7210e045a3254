# SPDX-License-Identifier: BSD-3-Clause
"""Why a mutant that no test catches may live. "equivalent": no caller and no input can tell it from the original. "unseen": it
differs, but only where these tests cannot look (the hardware, another suite); it counts as not caught."""

NEGATIVE = ("equivalent", "libfdt's length is negative when there is no property, and is refused as such")
NO_CALLER = ("equivalent", "mem_map() asks for a block only where this holds")
LEFT_OVER = ("unseen", "tables are left over only if another CPU makes one between the count and the use")
CLEARED = ("equivalent", "every caller puts the page into a pool next, and pool_put() clears what it gets")
NO_NODE = ("equivalent", "libfdt finds no property of node -1: the next term refuses")

REASONS = {
    "boot_fdt.number_read: term [cells == NULL]": NEGATIVE,
    "boot_fdt.is_string: term [value != NULL]": NEGATIVE,
    "bundle.data_read: term [data == NULL]": NEGATIVE,
    "manifest.number: term [at == NULL]": NEGATIVE,
    "manifest.range_read: term [reg == NULL]": NEGATIVE,
    "manifest.image_read: term [hash == NULL]": NEGATIVE,
    "boot_fdt.chosen_read: term [!number_read(m->fdt, node, \"linux,initrd-end\", &end)]":
        ("unseen", "what was not read is whatever the stack held: the next term refuses it, mostly"),
    "lock-release-unordered":
        ("unseen", "on the PC every store is ordered"),
    "lock-acquire-unordered":
        ("unseen", "on the PC every load is ordered, and the compiler makes the same code of it"),
    "donate-tables-leak": LEFT_OVER,
    "donate-core-not-cleared": CLEARED,
    "topup-not-cleared": CLEARED,
    "take-tables-leak": LEFT_OVER,
    "run-page-tables-leak": LEFT_OVER,
    "boot_fdt.firmware_check: term [node < 0]": NO_NODE,
    "boot_fdt.chosen_read: term [node < 0]": NO_NODE,
    "boot_fdt.reg_read: term [address_cells < 1]":
        ("equivalent", "0 cells are an error to libfdt: as an unsigned count longer than any property"),
    "boot_fdt.reg_read: term [size_cells < 0]":
        ("equivalent", "as an unsigned count of cells it is longer than any property"),
    "boot_fdt.is_in_ram: term [range->base >= base]":
        ("equivalent", "below the base the difference wraps to more than any bank has"),
    "bundle.fit_check: term [!is_aligned((u64)(uintptr_t)fit, 8)]":
        ("equivalent", "fdt_check_header() of libfdt 1.6.1 and later refuses the same"),
    "image.add_check: term [gpa >= limit]":
        ("equivalent", "beyond the limit there is no RAM range: the next check refuses alike"),
    "manifest.blob_read: term [fdt_check_header(fdt) != 0]":
        ("equivalent", "fdt_check_full() checks the header again"),
    "image.is_parameter: term [gpa >= range->gpa]":
        ("equivalent", "below the range the difference wraps to more than it has"),
    "mem_block.block_check: term [!vm->is_protected]": NO_CALLER,
    "mem_block.block_check: term [!is_aligned(gfn.v | pfn.v, PAGES_PER_BLOCK)]": NO_CALLER,
    "mem_block.block_check: term [!vm_is_ram(vm, gfn)]":
        ("equivalent", "outside of RAM the range's end is 0: the next term refuses"),
    "block-of-open-vm": NO_CALLER,
    "block-split-tables-leak":
        ("equivalent", "under the block's lock the count is exact: nothing is left over"),
    "block-tables-leak": LEFT_OVER,
    "block-split-host-forgotten":
        ("unseen", "the table is made when a page is mapped; only another CPU that empties the pool until then could tell"),
    "host-split-from-wrong-pool":
        ("unseen", "as many tables leave the pool; only another CPU that empties it in between could tell"),
    "pool-reserve-keeps-tail":
        ("equivalent", "a pool ends where its count says; who takes a page clears its link"),
    "s2-join-table-freed-first":
        ("unseen", "another CPU would have to take and fill the table between two steps"),
    "wish-host-gets-early":
        ("unseen", "for a moment the host reads the old content: only a second CPU could tell"),
    "verify-other-size":
        ("equivalent", "the hash is of all bytes of the image: another size has another one"),
    "seal-root-left-in-cache":
        ("unseen", "what a real cache keeps"),
    "load-end-not-opened":
        ("equivalent", "what does not open is zeroed, and no snapshot ends with 0"),
    "spec-seal-save-open":
        ("equivalent", "an open VM is never one that may be saved: the next term refuses"),
    "trng.get_random: check [!rng_bytes(random, sizeof(random))]":
        ("equivalent", "trng_call() has asked whether there is entropy, and it does not go again"),
    "return-scrubbed-last":
        ("unseen", "for a moment the host reads the old content: only a second CPU could tell"),
    "mem.ledger_lets_host: term [page.owner >= OWNER_VM_FIRST]":
        ("equivalent", "no page of the corevisor's is shared"),
    "rsi.rsi_is_call: term [id <= RSI_LAST]":
        ("equivalent", "there is no call above the last one: refused alike"),
    "save-old-tag-told":
        ("equivalent", "hcall() begins with results of 0"),
    "mem_io.io_check: term [pfn.v >= GFN_LIMIT]":
        ("equivalent", "no platform lists such a page; the check is for a list that is wrong"),
    "mem_io.io_check: term [ledger_is_ram(pfn)]":
        ("equivalent", "no platform lists RAM; the check is for a list that is wrong"),
    "mem_io.io_check: term [!host_map_walk(gfn_ipa(pfn_host_gfn(pfn))).is_mapped]":
        ("equivalent", "host_map_take_device() looks again, under the lock, and the status is the same"),
    "mem_io.mem_io_overlaps: check [vm->device_pages == 0]":
        ("equivalent", "without device pages only RAM is mapped, which the caller has compared already"),
    "hyp_map.hyp_is_mapped: term [level == LEAF_LEVEL]":
        ("equivalent", "slot_find() ends above the leaf only at an invalid entry"),
    "manifest-tail-shared":
        ("equivalent", "what may follow begins with a page: it lies before the tail's end if it lies in its page"),
    "manifest-tail-shared-other":
        ("equivalent", "what may follow begins with a page: it lies before the tail's end if it lies in its page"),
    "dma-unpinned-first":
        ("equivalent", "both steps happen under the lock of the page's block, and nobody looks without it"),
    "io-tables-leak":
        ("unseen", "tables are left over only if another CPU splits the block between the count and the take"),
    "io-lost-race":
        ("unseen", "two VMs are given one device page at the same moment"),
    "io-given-first":
        ("unseen", "for a moment both reach the page: only two CPUs at once could tell"),
    "release-counted-first":
        ("unseen", "the order of two stores, seen by another CPU between them"),
    "run-old-exit-kept":
        ("equivalent", "no exit that lets the guest go on writes its record; cleared in case one ever does"),
    "record-lr-of-others":
        ("equivalent", "vgic_take_lrs() leaves 0 in every list register beyond the count"),
    "spec-dma-block-over-table":
        ("unseen", "a batch is a block in the full geometry; in the model's, where it is not: test/model/replays"),
}
