/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Touches the corevisor's memory in every way there is, on its first and last bytes and across its
 * edges, at EL1 and at EL0. Expected (docs/fault-table.md): an alignment fault at the accessing
 * instruction, nothing read, nothing written; cache maintenance and prefetch may also pass in
 * silence, for they return nothing; AT sees stage 1 only.
 */
#include "access.h"
#include "tiny.h"

const char image_name[] = "access";

enum expect {
	FAULTS,	    /* exactly one alignment fault */
	MAY_FAULT,  /* none, or one */
	FETCH,	    /* an instruction abort */
	TRANSLATES, /* PAR_EL1 = the address */
};

struct kind {
	const char *name;
	u64 (*access)(u64 address, u64 value);
	u32 bytes; /* an aligned access of that size touches nothing beyond */
	enum expect expect;
	bool may_straddle; /* unaligned is allowed */
	bool is_lse;
	bool at_el0;
	bool user_address; /* at EL1 it needs a user mapping */
};

static const struct kind kinds[] = {
	{ "load byte", access_load_byte, 1, FAULTS, false, false, true, false },
	{ "load", access_load, 8, FAULTS, true, false, true, false },
	{ "load pair", access_load_pair, 16, FAULTS, true, false, true, false },
	{ "load vector", access_load_vector, 16, FAULTS, true, false, true, false },
	{ "load acquire", access_load_acquire, 8, FAULTS, false, false, true, false },
	{ "load exclusive", access_load_exclusive, 8, FAULTS, false, false, true, false },
	{ "load unprivileged", access_load_unprivileged, 8, FAULTS, true, false, false, true },
	{ "store byte", access_store_byte, 1, FAULTS, false, false, true, false },
	{ "store", access_store, 8, FAULTS, true, false, true, false },
	{ "store pair", access_store_pair, 16, FAULTS, true, false, true, false },
	{ "store vector", access_store_vector, 16, FAULTS, true, false, true, false },
	{ "store release", access_store_release, 8, FAULTS, false, false, true, false },
	{ "store unprivileged", access_store_unprivileged, 8, FAULTS, true, false, false, true },
	{ "load and store exclusive", access_store_exclusive, 8, FAULTS, false, false, true,
	  false },
	{ "LDADD", access_lse_add, 8, FAULTS, false, true, true, false },
	{ "SWP", access_lse_swap, 8, FAULTS, false, true, true, false },
	{ "CASAL", access_lse_compare, 8, FAULTS, false, true, true, false },
	{ "DC ZVA", access_zero_block, 1, FAULTS, false, false, true, false },
	{ "DC CIVAC", access_clean_invalidate, 1, MAY_FAULT, false, false, true, false },
	{ "DC CVAC", access_clean, 1, MAY_FAULT, false, false, true, false },
	{ "DC CVAU", access_clean_pou, 1, MAY_FAULT, false, false, true, false },
	{ "DC IVAC", access_invalidate, 1, MAY_FAULT, false, false, false, false },
	{ "IC IVAU", access_invalidate_code, 1, MAY_FAULT, false, false, true, false },
	{ "PRFM", access_prefetch, 1, MAY_FAULT, false, false, true, false },
	{ "instruction fetch", access_fetch, 4, FETCH, false, false, true, false },
	{ "AT S1E1R", access_at_read, 1, TRANSLATES, false, false, false, false },
	{ "AT S1E1W", access_at_write, 1, TRANSLATES, false, false, false, false },
	{ "AT S1E0R", access_at_user_read, 1, TRANSLATES, false, false, false, true },
};

#define POISON 0x5ec7e75ec7e75ec7ul
#define PAR_F 1ul
#define PAR_PA 0x000000fffffff000ul

static u32 checks;

static const char *wrong_fault(const struct kind *kind, bool is_el0, u64 va,
			       const struct fault *fault)
{
	u64 ec = kind->expect == FETCH ? (is_el0 ? EC_IABT_EL0 : EC_IABT_EL1)
				       : (is_el0 ? EC_DABT_EL0 : EC_DABT_EL1);
	bool is_exclusive = kind->access == access_store_exclusive;

	if (fault->count == 0) {
		return kind->expect == MAY_FAULT ? NULL : "no fault";
	}
	if (fault->count != 1 && !(is_exclusive && fault->count == 2)) {
		return "several faults";
	}
	if (ESR_EC(fault->esr) != ec || ESR_FSC(fault->esr) != FSC_ALIGNMENT) {
		return "not an alignment fault";
	}
	/* DC ZVA and cache maintenance report any address of their block. */
	if (fault->far < (va & ~63ul) || fault->far >= va + kind->bytes + 63) {
		return "wrong FAR";
	}
	return NULL;
}

static void check(const struct kind *kind, u64 address, bool is_el0, const char *where)
{
	u64 va = is_el0 || kind->user_address ? address + USER_ALIAS : address;
	struct fault fault;
	const char *wrong;
	u64 value;

	faults_expect();
	value = is_el0 ? user_call(kind->access, va, POISON) : kind->access(va, POISON);
	fault = faults_taken();
	checks++;
	if (kind->expect == TRANSLATES) {
		wrong = fault.count || value & PAR_F || (value & PAR_PA) != (address & ~0xffful)
				? "bad PAR"
				: NULL;
	} else {
		wrong = wrong_fault(kind, is_el0, va, &fault);
		if (!wrong && value != 0) {
			wrong = "a value was read";
		}
	}
	if (wrong) {
		fail("%s at EL%d, %s of the corevisor, %#lx: %s (value %#lx, faults %lu, esr %#lx, far %#lx)",
		     kind->name, is_el0 ? 0 : 1, where, va, wrong, value, fault.count, fault.esr,
		     fault.far);
	}
}

static void check_range(const struct kind *kind, const struct range *core, bool is_el0)
{
	u64 end = core->base + core->bytes;
	u32 i;

	check(kind, core->base, is_el0, "first bytes");
	check(kind, end - kind->bytes, is_el0, "last bytes");
	for (i = 0; i < 16; i++) {
		check(kind, core->base + (random_u64() % core->bytes & ~15ul), is_el0, "inside");
	}
	if (!kind->may_straddle) {
		return;
	}
	if (is_ram(core->base - 1)) {
		check(kind, core->base - kind->bytes / 2, is_el0, "lower edge");
		check(kind, core->base - 1, is_el0, "lower edge");
	}
	if (is_ram(end)) {
		check(kind, end - kind->bytes / 2, is_el0, "upper edge");
		check(kind, end - 1, is_el0, "upper edge");
	}
}

/* ---- the corevisor's memory as a translation table of ours: the walk is the access ---- */

#define WALK_INDEX 511ul
#define WALK_VA (WALK_INDEX << 30)
#define TABLE_DESCRIPTOR 3ul

static void check_walk_by(const char *name, u64 (*access)(u64, u64), bool is_el0, bool is_fetch,
			  u64 table)
{
	u64 ec = is_fetch ? (is_el0 ? EC_IABT_EL0 : EC_IABT_EL1)
			  : (is_el0 ? EC_DABT_EL0 : EC_DABT_EL1);
	struct fault fault;

	faults_expect();
	if (is_el0) {
		user_call(access, WALK_VA, POISON);
	} else {
		access(WALK_VA, POISON);
	}
	fault = faults_taken();
	checks++;
	if (fault.count != 1 || ESR_EC(fault.esr) != ec || ESR_FSC(fault.esr) != FSC_ALIGNMENT ||
	    fault.far != WALK_VA) {
		fail("%s at EL%d through a table at %#lx in the corevisor: %lu faults, esr %#lx, far %#lx",
		     name, is_el0 ? 0 : 1, table, fault.count, fault.esr, fault.far);
	}
}

/* AT reports the failed walk in PAR_EL1, or by an exception. */
static void check_translation_through(u64 table)
{
	struct fault fault;
	u64 par;

	faults_expect();
	par = access_at_read(WALK_VA, 0);
	fault = faults_taken();
	checks++;
	if (fault.count == 0 && !(par & PAR_F)) {
		fail("AT S1E1R through a table at %#lx in the corevisor gives %#lx", table, par);
	}
	if (fault.count > 1 || (fault.count == 1 && ESR_FSC(fault.esr) != FSC_ALIGNMENT)) {
		fail("AT S1E1R through a table at %#lx in the corevisor: %lu faults, esr %#lx",
		     table, fault.count, fault.esr);
	}
}

static void check_walks(const struct range *core)
{
	u64 tables[] = { core->base, core->base + core->bytes - PAGE_BYTES };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		env_tables[WALK_INDEX] = tables[i] | TABLE_DESCRIPTOR;
		tlb_flush();
		check_walk_by("load", access_load, false, false, tables[i]);
		check_walk_by("load", access_load, true, false, tables[i]);
		check_walk_by("store", access_store, false, false, tables[i]);
		check_walk_by("store", access_store, true, false, tables[i]);
		check_walk_by("instruction fetch", access_fetch, false, true, tables[i]);
		check_walk_by("instruction fetch", access_fetch, true, true, tables[i]);
		check_translation_through(tables[i]);
	}
	env_tables[WALK_INDEX] = 0;
	tlb_flush();
}

static bool has_lse(void)
{
	return (read_sysreg(id_aa64isar0_el1) >> 20 & 0xf) != 0;
}

/* ---- single pages that were the host's: between neighbours that still are ---- */

static struct tiny_vm vm;

static void check_given_pages(void)
{
	u64 pages = tiny_pages(8, 8), i, r;
	struct range given[] = { { (pages + 1) * PAGE_BYTES, PAGE_BYTES },
				 { (pages + 5) * PAGE_BYTES, PAGE_BYTES } };

	rv_expect("POOL_TOPUP", RV_OK, RV_POOL_TOPUP, pages + 1, 0, 0, 0, 0);
	if (!(tiny_facts.features & RV_FEAT_ENTROPY)) {
		skip("no entropy: no protected VMs here");
	}
	tiny_create(&vm, "victim", &tiny_nobody);
	tiny_load_pages(&vm, TINY_RAM_BASE, pages + 5, PAGE_BYTES);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (r = 0; r < ARRAY_SIZE(given) && (!kinds[i].is_lse || has_lse()); r++) {
			check_range(&kinds[i], &given[r], false);
			if (kinds[i].at_el0) {
				check_range(&kinds[i], &given[r], true);
			}
		}
	}
	for (r = 0; r < ARRAY_SIZE(given); r++) {
		check_walks(&given[r]);
	}
}

_Noreturn void image_main(void)
{
	u32 i, r;

	if (machine.core_count == 0) {
		fail("the device tree names no memory of a corevisor");
	}
	ready();
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].is_lse && !has_lse()) {
			continue;
		}
		for (r = 0; r < machine.core_count; r++) {
			check_range(&kinds[i], &machine.core[r], false);
			if (kinds[i].at_el0) {
				check_range(&kinds[i], &machine.core[r], true);
			}
		}
	}
	for (r = 0; r < machine.core_count; r++) {
		check_walks(&machine.core[r]);
	}
	tiny_begin();
	check_given_pages();
	print("%u accesses\n", checks);
	pass();
}
