# SPDX-License-Identifier: BSD-3-Clause
"""Mistakes with a VM's blocks of 2 MiB."""

from source import drop, sub, swap

MUTANTS = [
    ("block-host-keeps", "mem_block", "block_commit", drop("host_map_remove(")),
    ("block-not-scrubbed", "mem_block", "block_commit", drop("mem_scrub_pages(")),
    ("block-scrubbed-while-shared", "mem_block", "block_commit", swap("host_map_remove(", "mem_scrub_pages(")),
    ("block-scrubs-one-page", "mem", "mem_scrub_pages", sub("i < pages", "i < 1"), "proof_mem_block_reclaim"),
    ("block-icache-forgotten", "mem_block", "block_commit", drop("arch_icache_invalidate_all(")),
    ("block-owner-forgotten", "mem_block", "block_commit", drop("ledger_set_block(")),
    ("block-not-counted", "mem_block", "block_commit", drop("vm->guest_pages +=")),
    ("block-with-lent-pages", "mem_block", "mem_block_map", sub("ledger_block_is_host_alone(pfn)", "ledger_block_is_host(pfn)"),
     "proof_mem_block_map"),
    ("block-below-floor", "mem_block", "mem_block_map", sub("CORE_POOL_FLOOR", "0")),
    ("block-lock-lost", "mem_block", "mem_block_map", drop("lock_release(")),
    ("block-tables-leak", "mem_block", "mem_block_map", drop("pool_return(")),
    ("block-shared-not-counted", "ledger", "account", drop("block->shared +=")),
    ("block-split-host-forgotten", "mem_block", "mem_block_split", drop("host_map_split("), "proof_mem_block_split"),
    ("block-split-below-floor", "mem_block", "mem_block_split", sub("CORE_POOL_FLOOR", "0")),
    ("block-split-tables-leak", "mem_block", "mem_block_split", drop("pool_return(")),
    ("block-split-vm-forgotten", "mem_block", "mem_block_split", drop("s2_split(")),
    ("block-split-lock-lost", "mem_block", "mem_block_split", drop("lock_release(")),
    ("block-too-late", "mem_range", "mem_map", sub("may_be_block && i > 0", "false")),
    ("block-of-open-vm", "mem_block", "block_check", sub("!vm->is_protected ||", "")),
    ("block-wish-part", "mem_range", "set_wish_backed", sub("level_that_fits(*gfn, end, leaf.level) != leaf.level", "false")),
    ("block-spread-alike", "ledger", "block_spread", sub("whole_entry(block->whole, i)", "whole_entry(block->whole, 0)")),
    ("block-of-host-lock", "host_map", "host_map_split", sub("level_now(pfn) == GIB_LEVEL", "level_now(pfn) < PAGE_LEVEL")),
]
