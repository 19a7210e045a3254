/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * 10 000 seeded random calls by HVC and SMC. Half are valid ids of abi.h, PSCI and SMCCC with
 * boundary arguments: VMs that exist and that do not, pages of the host, of VMs, of the corevisor,
 * of devices, of nobody. Calls that end a CPU's life have images of their own. No call may change a
 * register that SMCCC preserves, answer with a status that does not exist, or bring the corevisor's
 * books out of balance.
 */
#include "tiny.h"

const char image_name[] = "random";

TINY_PAYLOAD(payload, "guest_hello");

#define CALLS 10000
#define SACRIFICE_PAGES 2048 /* what the host can afford to lose */

static struct tiny_vm open_vm, protected_vm;
static u64 sacrifice;
static u32 answers[11]; /* of the calls of abi.h, by -status */
static u64 first_shown; /* "show=N" on the command line: prints the calls from there */

/*
 * The calls of abi.h and what their arguments are: h VM, g gfn, a gpa, p pfn, r root pfn, n count,
 * i small number, x anything. Written twice: drawn twice as often.
 */
static const struct {
	u64 id;
	char arguments[8];
} calls[] = {
	{ RV_VERSION, "" },
	{ RV_POOL_TOPUP, "p" },
	{ RV_VM_CREATE, "prixxxx" },
	{ RV_VM_TOPUP, "hp" },
	{ RV_VM_ADD_RAM, "hgn" },
	{ RV_VM_KILL, "h" },
	{ RV_VM_DESTROY, "h" },
	{ RV_VM_VERIFY, "hp" },
	{ RV_VM_MAP_IO, "hgp" },
	{ RV_VM_MEASURE, "hi" },
	{ RV_IMAGE_ADD, "han" },
	{ RV_IMAGE_MAP, "hipn" },
	{ RV_MEM_MAP, "hgpn" },
	{ RV_MEM_MAP, "hgpn" },
	{ RV_MEM_RECLAIM, "hgn" },
	{ RV_MEM_RECLAIM, "hgn" },
	{ RV_VCPU_CREATE, "hipp" },
	{ RV_VCPU_BOOT, "hiax" },
	{ RV_VCPU_RUN, "hi" },
	{ RV_VCPU_READ_REGS, "hi" },
	{ RV_DMA_ALLOC, "ihr" },
	{ RV_DMA_TOPUP, "ip" },
	{ RV_DMA_MAP, "ippn" },
	{ RV_DMA_UNMAP, "ipn" },
	{ RV_DMA_FREE, "i" },
	{ RV_SEAL_SAVE_BEGIN, "hp" },
	{ RV_SEAL_SAVE_VCPU, "hip" },
	{ RV_SEAL_SAVE_PAGE, "hp" },
	{ RV_SEAL_SAVE_END, "hp" },
	{ RV_SEAL_ABORT, "h" },
	{ RV_SEAL_LOAD_BEGIN, "hp" },
	{ RV_SEAL_LOAD_VCPU, "hipxx" },
	{ RV_SEAL_LOAD_PAGE, "hgipxx" },
	{ RV_SEAL_LOAD_END, "hpxx" },
};

static const u64 other_ids[] = {
	RV_HVC_UID,
	PSCI_VERSION,
	PSCI_FEATURES,
	PSCI_AFFINITY_INFO,
	PSCI_AFFINITY_INFO & ~(1ul << 30),
	0x84000006 /* MIGRATE_INFO_TYPE */,
	0x80000000 /* SMCCC_VERSION */,
	0x80000001 /* SMCCC_ARCH_FEATURES */,
	0x80008000,
	0x80007fff,
	0x80003fff /* workarounds */,
	0x84000050,
	0x84000051,
	0x84000052,
	0x84000053,
	0xc4000053 /* TRNG */,
};

static bool is_power_call(u64 id)
{
	u32 function = (u32)id & ~(1u << 30);

	return (function >= 0x84000001 && function <= 0x84000003) ||
	       (function >= 0x84000008 && function <= 0x84000012 && function != 0x8400000a);
}

static u64 pick_pfn(void)
{
	u64 core = machine.core[0].base / PAGE_BYTES;
	u64 choices[] = { 0,
			  1,
			  ~0ul,
			  1ul << 28,
			  1ul << 52,
			  0x09000,
			  machine.ram[0].base / PAGE_BYTES - 1,
			  (machine.ram[0].base + machine.ram[0].bytes) / PAGE_BYTES,
			  core,
			  core + 1,
			  (machine.core[0].base + machine.core[0].bytes) / PAGE_BYTES - 1,
			  machine.info.base / PAGE_BYTES,
			  protected_vm.backing[512],
			  open_vm.backing[512],
			  protected_vm.record_pa / PAGE_BYTES };
	u64 r = random_u64();

	if (r & 1) {
		return sacrifice + (r >> 8) % (SACRIFICE_PAGES / 2);
	}
	return choices[(r >> 8) % ARRAY_SIZE(choices)];
}

static u64 pick_handle(void)
{
	u64 choices[] = { 0,
			  1,
			  ~0ul,
			  open_vm.handle,
			  protected_vm.handle,
			  open_vm.handle,
			  protected_vm.handle,
			  open_vm.handle + 1,
			  open_vm.handle ^ 1ul << 32 };

	return choices[random_u64() % ARRAY_SIZE(choices)];
}

static u64 pick_number(void)
{
	static const u64 choices[] = { 0,
				       1,
				       2,
				       3,
				       15,
				       16,
				       63,
				       64,
				       511,
				       512,
				       513,
				       4096,
				       TINY_RAM_BASE / PAGE_BYTES,
				       TINY_RAM_BASE / PAGE_BYTES + TINY_RAM_PAGES - 1,
				       TINY_RAM_BASE / PAGE_BYTES + 4096,
				       1ul << 27,
				       1ul << 28,
				       1ul << 31,
				       1ul << 32,
				       1ul << 51,
				       1ul << 52,
				       1ul << 63,
				       ~0ul,
				       ~0ul - 511,
				       0x80000000,
				       0xc4000003 };
	u64 r = random_u64();

	return (r & 7) == 0 ? random_u64() : choices[(r >> 8) % ARRAY_SIZE(choices)];
}

static u64 pick_argument(void)
{
	switch (random_u64() % 4) {
	case 0:
		return pick_pfn();
	case 1:
		return pick_handle();
	default:
		return pick_number();
	}
}

static bool is_ravelin_call(u64 id)
{
	return id >= RV_VERSION && id <= RV_SEAL_LOAD_END;
}

/* What the call's arguments are; "" for one that is not ours. */
static const char *arguments_of(u64 id)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].id == id) {
			return calls[i].arguments;
		}
	}
	return "";
}

static u64 pick_kind(char kind)
{
	u64 gfn = TINY_RAM_BASE / PAGE_BYTES + random_u64() % TINY_RAM_PAGES;

	switch (kind) {
	case 'h':
		return pick_handle();
	case 'g':
		return gfn;
	case 'a':
		return gfn * PAGE_BYTES;
	case 'p':
		return pick_pfn();
	case 'r':
		return pick_pfn() & ~1ul;
	case 'n':
		return random_u64() % 514;
	case 'i':
		return random_u64() % 3;
	default:
		return pick_argument();
	}
}

/* Arguments in their places, so that calls get past their first checks often enough. */
static void fill_arguments(struct smccc *regs)
{
	const char *kinds = arguments_of(regs->x[0]);
	bool is_wild = random_u64() % 4 == 0;
	u32 i;

	for (i = 1; i < 18; i++) {
		regs->x[i] = pick_argument();
	}
	for (i = 0; kinds[i] && !is_wild; i++) {
		regs->x[i + 1] = pick_kind(kinds[i]);
	}
}

/* hostile_self_harm gives away what the host stands on; this image wants to go on. */
static void spare_own_image(struct smccc *regs)
{
	const char *kinds = arguments_of(regs->x[0]);
	u32 i;

	for (i = 0; kinds[i]; i++) {
		u64 *pfn = &regs->x[i + 1];

		if ((kinds[i] == 'p' || kinds[i] == 'r') &&
		    range_has(&machine.image, *pfn * PAGE_BYTES)) {
			*pfn += sacrifice - machine.image.base / PAGE_BYTES;
		}
	}
}

static void check_answer(const struct smccc *asked, const struct smccc *got, bool is_smc)
{
	s64 status = (s64)got->x[0];
	u32 i;

	if (is_ravelin_call(asked->x[0]) && !is_smc && (status > RV_OK || status < RV_E_AUTH)) {
		fail("call %#lx(%#lx, %#lx, %#lx): status %ld", asked->x[0], asked->x[1],
		     asked->x[2], asked->x[3], status);
	}
	if (is_ravelin_call(asked->x[0]) && !is_smc) {
		answers[-status]++;
	}
	for (i = 8; i < 18; i++) {
		if (got->x[i] != asked->x[i] && got->x[i] != 0) {
			fail("call %#lx left %#lx in x%u", asked->x[0], got->x[i], i);
		}
	}
}

static void one_call(u32 number)
{
	struct smccc regs = { { 0 } }, asked;
	bool is_smc = random_u64() & 1;
	struct fault fault;

	if (number & 1) {
		regs.x[0] = random_u64() % 3 ? calls[random_u64() % ARRAY_SIZE(calls)].id
					     : other_ids[random_u64() % ARRAY_SIZE(other_ids)];
		/* The ABI is spoken by HVC: an SMC with its ids is as foreign as any. */
		is_smc = is_smc && !(is_ravelin_call(regs.x[0]) && random_u64() % 8);
	} else {
		regs.x[0] = random_u64() >> (random_u64() & 32);
		if (random_u64() & 1) {
			regs.x[0] =
				(regs.x[0] & 0xc300ffff) | 0x80000000; /* looks like a fast call */
		}
	}
	if (is_power_call(regs.x[0])) {
		return;
	}
	fill_arguments(&regs);
	spare_own_image(&regs);
	asked = regs;
	if (number >= first_shown) {
		print("%u: %s %#lx(%#lx, %#lx, %#lx, %#lx, %#lx)\n", number, is_smc ? "SMC" : "HVC",
		      asked.x[0], asked.x[1], asked.x[2], asked.x[3], asked.x[4], asked.x[5]);
	}
	faults_expect();
	if (is_smc) {
		smccc_smc(&regs);
	} else {
		smccc_hvc(&regs);
	}
	fault = faults_taken();
	if (fault.count) {
		fail("call %#lx: an exception, esr %#lx", asked.x[0], fault.esr);
	}
	check_answer(&asked, &regs, is_smc);
}

static void build(struct tiny_vm *vm, const char *name, bool is_protected)
{
	tiny_build(vm, name, is_protected, &payload, 1, "");
}

static void check_books(void)
{
	const volatile struct rv_info *info = (const volatile struct rv_info *)machine.info.base;
	u64 sum = 0;
	u32 i;

	for (i = 0; i < RV_PAGES_STATES; i++) {
		sum += info->pages[i];
	}
	if (sum != info->ram_pages) {
		fail("pages by state add up to %lu, all RAM is %lu", sum, info->ram_pages);
	}
	if (hvc(RV_VERSION, 0, 0, 0) != RV_OK) {
		fail("the corevisor does not answer any more");
	}
}

_Noreturn void image_main(void)
{
	u32 i;

	if (machine.core_count == 0) {
		fail("the device tree names no memory of a corevisor");
	}
	first_shown = bootarg("show", ~0ul);
	ready();
	tiny_begin();
	if (!(tiny_facts.features & RV_FEAT_ENTROPY)) {
		skip("no entropy: no protected VMs here");
	}
	build(&open_vm, "open", false);
	build(&protected_vm, "protected", true);
	sacrifice = tiny_pages(SACRIFICE_PAGES, 1);
	gic_begin();
	timer_arm_us(0); /* and never taken: every run of a vCPU ends at once */
	for (i = 0; i < CALLS; i++) {
		one_call(i);
		if (i % 500 == 0) {
			check_books();
		}
	}
	check_books();
	print("answers by status:");
	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		print(" %u", answers[i]);
	}
	print("\n");
	pass();
}
