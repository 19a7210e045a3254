#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Takes one protection after the other out of the memory core and shows that the tests notice: each mutant must make at
least one of them fail. Prints TAP; `mutants.py NAME...` runs only those. Nothing in the tree is changed."""

import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
CORE = ["lock", "ledger", "pool", "s2", "hyp_map", "host_map", "mem", "mem_range", "mem_block", "mem_pages", "mem_io", "vm", "dma",
        "image", "manifest", "crypto"]
FAKE = ["fake_mem", "fake_tlb", "fake_cpu", "fake_boot"]
SPEC = ["spec/spec_mem", "spec/spec_vm", "spec/spec_image", "spec/spec_dma", "spec/invariants", "test/common/owner",
        "test/matrix/observe"]
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-w", "-Iarch-fake", "-Ispec", "-Itest/common", "-Iinclude", "-Icorevisor/include",
         "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
# In the order of their cost.
TESTS = [("test_mem_tables", {}), ("test_mem_calls", {}), ("test_mem_block", {}), ("test_mem_ledger", {}), ("walk", {"WALK_SEED": "7"}),
         ("matrix", {"MATRIX": "test_blocks"}), ("test_mem_cpus", {}), ("matrix", {})]

# From mem_page_reclaim(): what a mutant of the order of its steps rearranges.
RECLAIM = """\ts2_unmap(&vm->s2, gfn, leaf->level, leaf->wish);
	if (!vm->is_protected) {
		unpin(first);
	} else {
		CV_CHECK(ledger_get(first).owner == vm->owner && ledger_get(first).gfn == gfn.v &&
			 ledger_get(first).count == 0);
		/* A shared page goes through the same steps; the host loses it for a moment. */
		host_map_remove(first, leaf->level);
		mem_scrub_pages(first, pages);
"""

# name, file, what stands there, what the mutant has instead
MUTANTS = [
    ("tlb-unmap", "s2", "\t\tarch_tlb_invalidate_ipa(s2->vmid, ipa, bytes);\n", "\t\t(void)bytes;\n"),
    ("tlb-range", "s2", "leaf_ipa(gfn, level), leaf_bytes(level));\n}", "leaf_ipa(gfn, level), PAGE_SIZE);\n}"),
    ("tlb-root", "s2", "\tarch_tlb_invalidate_vmid(s2->vmid);\n", ""),
    ("tlb-el2", "hyp_map", "\tarch_tlb_invalidate_hyp(va);\n", ""),
    ("tlb-window", "hyp_map", "\tarch_tlb_invalidate_window(window_va(cpu));\n", ""),
    ("bbm-split", "s2", "\tif (is_valid(at.pte)) {\n\t\tbreak_entry(s2, at.slot, 0, gfn, at.level);\n\t}\n", ""),
    ("bbm-join", "s2", "\tbreak_entry(s2, at.slot, 0, gfn, at.level);\n\tarch_pte_write(at.slot, leaf_make(pa, at",
     "\tarch_pte_write(at.slot, leaf_make(pa, at"),
    ("split-publish", "s2", "\t}\n\tarch_pte_publish();\n\tif (is_valid(at.pte)) {", "\t}\n\tif (is_valid(at.pte)) {"),
    ("split-one-hole", "s2", "for (u64 i = 0; i < TABLE_ENTRIES; i++) {\n\t\tarch_pte_write(&table[i], child",
     "for (u64 i = 1; i < TABLE_ENTRIES; i++) {\n\t\tarch_pte_write(&table[i], child"),
    ("split-wish", "s2", "\tu64 child = pte;\n", "\tu64 child = is_valid(pte) ? pte : 0;\n"),
    ("join-leak", "s2", "\tpool_put(s2->pool, pa_pfn(pa_make(at.pte & PTE_ADDR)));\n", ""),
    ("device-executable", "host_map", "ram == 0 ? S2_DEVICE : S2_NORMAL_RWX", "S2_NORMAL_RWX"),
    ("donate-keeps-host", "mem", "\tif (wish == S2_WISH_PRIVATE) {\n\t\thost_map_remove(pfn, 3);\n\t}\n", ""),
    ("donate-clean", "mem", "\tarch_page_clean_invalidate(pfn);\n\tif (!is_content_kept) {", "\tif (!is_content_kept) {"),
    ("donate-scrub", "mem", "\tif (!is_content_kept) {\n\t\tarch_page_scrub(pfn);\n\t}\n", ""),
    ("donate-scrub-early", "mem", "\thost_map_split(pfn, 3, reserved);\n\tif (wish",
     "\tarch_page_scrub(pfn);\n\tis_content_kept = true;\n\thost_map_split(pfn, 3, reserved);\n\tif (wish"),
    ("donate-icache", "mem", "\tarch_icache_invalidate_all();\n\tledger_set(pfn, (struct page){\n\t\t\t\t.owner = vm->owner,\n"
     "\t\t\t\t.state = wish == S2_WISH_SHARED ? PAGE_SHARED : PAGE_EXCLUSIVE,\n\t\t\t\t.gfn = gfn.v,\n\t\t\t});\n\ts2_map(&vm",
     "\tledger_set(pfn, (struct page){\n\t\t\t\t.owner = vm->owner,\n"
     "\t\t\t\t.state = wish == S2_WISH_SHARED ? PAGE_SHARED : PAGE_EXCLUSIVE,\n\t\t\t\t.gfn = gfn.v,\n\t\t\t});\n\ts2_map(&vm"),
    ("donate-busy", "mem", "\tif (leaf.is_mapped) {\n\t\treturn CV_E_BUSY;\n\t}\n\tif (!mem_vm_has_tables(vm, gfn, 3) ||",
     "\tif (!mem_vm_has_tables(vm, gfn, 3) ||"),
    ("owner-check", "mem", "return ledger_is(pfn, OWNER_HOST, PAGE_EXCLUSIVE) ? CV_OK : CV_E_STATE;",
     "return ledger_get(pfn).owner == OWNER_HOST ? CV_OK : CV_E_STATE;"),
    ("open-owner-check", "mem", "page.owner != OWNER_HOST || page.count == LEDGER_COUNT_MAX", "page.count == LEDGER_COUNT_MAX"),
    ("open-pin-limit", "mem", " || page.count == LEDGER_COUNT_MAX", ""),
    ("open-clean", "mem", "\tarch_page_clean_invalidate(pfn);\n\tarch_icache_invalidate_all();\n\tpage.state", "\tpage.state"),
    ("reclaim-scrub", "mem", "\t\tmem_scrub_pages(first, pages);\n\t\tgive", "\t\tgive"),
    ("reclaim-scrub-early", "mem", RECLAIM, "\tif (vm->is_protected) {\n\t\tmem_scrub_pages(first, pages);\n\t}\n"
     + RECLAIM.replace("\t\tmem_scrub_pages(first, pages);\n", "")),
    ("reclaim-keeps-vm", "mem", "\ts2_unmap(&vm->s2, gfn, leaf->level, leaf->wish);\n\tif (!vm", "\tif (!vm"),
    ("reclaim-while-running", "mem_range", "return vm_active(vm) > 0 || vm->dma_pages > 0 ? CV_E_BUSY : CV_OK;", "return CV_OK;"),
    ("reclaim-alive", "mem_range", "\tif (vm->state != VM_POWEROFF) {\n\t\treturn CV_E_STATE;\n\t}\n\treturn vm_active", "\treturn vm_active"),
    ("return-icache", "mem", "\tarch_icache_invalidate_all();\n\tif (level", "\tif (level"),
    ("return-scrub", "mem", "\thyp_unmap_page(pfn);\n\tarch_page_scrub(pfn);\n", "\thyp_unmap_page(pfn);\n"),
    ("return-keeps-el2", "mem", "\thyp_unmap_page(pfn);\n\tarch_page_scrub(pfn);\n", "\tarch_page_scrub(pfn);\n"),
    ("wish-scrub", "mem", "\tmem_scrub_pages(first, s2_leaf_pages(leaf->level));\n\tarch_ic", "\tarch_ic"),
    ("wish-keeps-host", "mem", "\thost_map_remove(first, leaf->level);\n\tmem_scrub",
     "\tif (wish == S2_WISH_SHARED) {\n\t\thost_map_remove(first, leaf->level);\n\t}\n\tmem_scrub"),
    ("wish-unbounded", "mem_range", "u64 budget = RV_BATCH_PAGES;", "u64 budget = 64 * RV_BATCH_PAGES;"),
    ("wish-destroyed", "mem_range", "\tif (leaf.wish == S2_WISH_DESTROYED && !change_destroyed) {\n\t\treturn CV_E_STATE;\n\t}\n", ""),
    ("wish-outside", "mem_range", "\tend = min_u64(end, ram_end);\n\tleaf = s2_walk(&vm->s2, at);\n\tif (leaf.wish == wish", "\tleaf = s2_walk(&vm->s2, at);\n\tif (leaf.wish == wish"),
    ("reserve-leak", "mem", "\tdonate_commit(vm, gfn, pfn, is_content_kept, &reserved);\n\tpool_return(&core_pool, &reserved);\n",
     "\tpool_reserve(&core_pool, &reserved, 1, 0) ? (void)0 : (void)0;\n\tdonate_commit(vm, gfn, pfn, is_content_kept, &reserved);\n"),
    ("floor", "mem", "return take_core(pfn, CORE_POOL_FLOOR);", "return take_core(pfn, 0);"),
    ("foreign", "ledger", "block->foreign += (entry & ENTRY_OWNER_MASK) != OWNER_HOST ? pages : 0;",
     "block->foreign += to == RV_PAGES_CORE || to == RV_PAGES_VM ? pages : 0;"),
    ("ram-edge", "ledger", "pfn.v - first < region->pages) {\n\t\t\treturn region", "pfn.v - first <= region->pages) {\n\t\t\treturn region"),
    ("untake", "mem_pages", "\t\t\t\tmem_host_untake_core(pfn_make(pfns[i]));\n", ""),
    ("destroy-guest-pages", "vm", "vm_active(vm) > 0 || vm->guest_pages > 0", "vm_active(vm) > 0"),
    ("destroy-unpin", "vm", "\t\t\tmem_host_unshare_core(vm->vcpus[i]->run_pfn);\n", ""),
    ("handle-generation", "vm", "\tif (slot->handle != handle) {", "\tif (slot->handle == 0) {"),
    ("host-info-write", "mem", "return access == MEM_READ;", "return true;"),
    ("lock-dropped", "mem", "\tstatus = take_core_locked(pfn, floor);\n\tlock_release(lock);\n",
     "\tstatus = take_core_locked(pfn, floor);\n\tif (status == CV_OK) {\n\t\tlock_release(lock);\n\t}\n"),
    ("lock-order", "host_map", "\t\tlock_acquire(&host.upper);\n\t\ts2_split(&s2,", "\t\tlock_acquire(&host.upper);\n\t\tlock_acquire(&host.upper);\n\t\ts2_split(&s2,"),
    ("no-lock", "lock", "\twhile (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket) {\n\t\tpanic_poll();\n\t\tarch_wait_event();\n\t}\n", ""),
    ("block-keeps-host", "mem_block", "\thost_map_remove(pfn, BLOCK_LEVEL);\n", ""),
    ("block-scrub", "mem_block", "\tmem_scrub_pages(pfn, PAGES_PER_BLOCK);\n", ""),
    ("block-scrub-one", "mem", "for (u64 i = 0; i < pages; i++) {\n\t\tarch_page_scrub", "for (u64 i = 0; i < 1; i++) {\n\t\tarch_page_scrub"),
    ("block-icache", "mem_block", "\tarch_icache_invalidate_all();\n", ""),
    ("block-alone", "mem_block", "ledger_block_is_host_alone(pfn)", "ledger_block_is_host(pfn)"),
    ("block-shared-count", "ledger", "\tblock->shared += to == RV_PAGES_HOST_SHARED ? pages : 0;\n", ""),
    ("block-ram-end", "mem_block", "!vm_is_ram(vm, gfn) || vm_ram_end(vm, gfn) < gfn.v + PAGES_PER_BLOCK", "!vm_is_ram(vm, gfn)"),
    ("block-dead", "mem_block", " || vm->state == VM_POWEROFF ||", " ||"),
    ("block-open", "mem_block", "!vm->is_protected || ", ""),
    ("block-wish", "mem_block", " && leaf.wish == S2_WISH_PRIVATE", ""),
    ("block-backed", "mem_block", "return !leaf.is_mapped && ", "return "),
    ("block-guest-pages", "mem_block", "\tvm->guest_pages += PAGES_PER_BLOCK;\n", ""),
    ("block-split-host", "mem_block", "\t\thost_map_split(pfn, PAGE_LEVEL, &reserved);\n", ""),
    ("block-split-floor", "mem_block", "host_map_tables_needed(pfn, PAGE_LEVEL),\n\t\t\t CORE_POOL_FLOOR)",
     "host_map_tables_needed(pfn, PAGE_LEVEL),\n\t\t\t 0)"),
    ("block-split-leak", "mem_block", "\t\tpool_return(mem_core_pool(), &reserved);\n\t\ts2", "\t\ts2"),
    ("block-late", "mem_range", "\t\tif (may_be_block && i > 0) {\n\t\t\tbreak;", "\t\tif (false) {\n\t\t\tbreak;"),
    ("block-return-batch", "mem_range", "if (leaf.is_mapped && returned + s2_leaf_pages(leaf.level) > RV_BATCH_PAGES) {", "if (false) {"),
    ("block-wish-part", "mem_range", "level_that_fits(*gfn, end, leaf.level) != leaf.level", "false"),
    ("block-wish-batch", "mem_range", "\tif (pages > *budget) {", "\tif (false) {"),
    ("block-write", "mem_range", "s2_leaf_pfn(&leaf, gfn)", "pa_pfn(leaf.pa)"),
    ("block-spread", "ledger", "entries[i] = whole_entry(block->whole, i);", "entries[i] = whole_entry(block->whole, 0);"),
    ("block-entry", "ledger", "whole_entry(at.block->whole, pfn.v % PAGES_PER_BLOCK)", "at.block->whole"),
    ("block-to-host", "ledger", "\t} else if (!ledger_block_is_host_alone(first)) {", "\t} else if (false) {"),
    ("state-count", "mem", "\t\tpage.state = state;\n", "\t\tpage.state = state;\n\t\tpage.count = 0;\n"),
    ("upper", "host_map", "\tif (level == GIB_LEVEL) {\n\t\tlock_acquire(&host.upper);\n", "\tif (level < PAGE_LEVEL) {\n\t\tlock_acquire(&host.upper);\n"),
]


def compile_objects(directory, sources):
    objects = []
    for source in sources:
        target = os.path.join(directory, source.replace("/", "_") + ".o")
        subprocess.run(["gcc", *FLAGS, "-c", "-o", target, source + ".c"], cwd=TOP, check=True)
        objects.append(target)
    return objects


def prepare(directory):
    """Compiles what no mutant changes; returns objects by name."""
    common = {name: compile_objects(directory, ["arch-fake/" + name])[0] for name in FAKE}
    core = {name: compile_objects(directory, ["corevisor/core/" + name])[0] for name in CORE}
    spec = compile_objects(directory, SPEC)
    mains = {name: compile_objects(directory, [("test/matrix/" if name in ("matrix", "walk") else "test/unit/") + name])[0]
             for name, _ in TESTS}
    return common, core, spec, mains


def mutate(directory, name, file, old, new):
    path = os.path.join(TOP, "corevisor/core", file + ".c")
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    if text.count(old) != 1:
        raise ValueError(f"{name}: stands {text.count(old)} times in {file}.c")
    source = os.path.join(directory, "mutant.c")
    with open(source, "w", encoding="utf-8") as stream:
        stream.write(text.replace(old, new))
    target = os.path.join(directory, "mutant.o")
    subprocess.run(["gcc", *FLAGS, "-c", "-o", target, source], cwd=TOP, check=True)
    return target


def killed_by(directory, parts, replaced, mutant):
    """Name of the first test that fails, and its first words; None if the mutant lives."""
    common, core, spec, mains = parts
    objects = list(common.values()) + [mutant if name == replaced else path for name, path in core.items()] + spec
    for name, environment in TESTS:
        program = os.path.join(directory, name)
        subprocess.run(["gcc", *FLAGS, "-o", program, mains[name], *objects, "-lcmocka", "-lbearssl", "-lfdt", "-lpthread"], check=True)
        try:
            run = subprocess.run([program], env={**os.environ, **environment, "ASAN_OPTIONS": "detect_leaks=0"},
                                 capture_output=True, text=True, timeout=400, check=False)
        except subprocess.TimeoutExpired:
            return name, "hangs"
        if run.returncode != 0:
            words = [line for line in run.stderr.splitlines() if "fake machine" in line or "ERROR" in line or "LINE" in line]
            return name, (words[0] if words else f"status {run.returncode}")[:110]
    return None


def main():
    wanted = sys.argv[1:]
    mutants = [mutant for mutant in MUTANTS if not wanted or mutant[0] in wanted]
    directory = tempfile.mkdtemp(prefix="ravelin-mutants-")
    failures = 0
    try:
        parts = prepare(directory)
        print(f"1..{len(mutants)}", flush=True)
        for number, (name, file, old, new) in enumerate(mutants, 1):
            result = killed_by(directory, parts, file, mutate(directory, name, file, old, new))
            failures += result is None
            print(f"{'ok' if result else 'not ok'} {number} - {name}" + (f" # {result[0]}: {result[1]}" if result else ""), flush=True)
    finally:
        shutil.rmtree(directory)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
