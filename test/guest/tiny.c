/* SPDX-License-Identifier: BSD-3-Clause */
/* The smallest host: tiny.h. */
#include "tiny.h"

#include <libfdt.h>

struct tiny_facts tiny_facts;
const struct rv_launch tiny_nobody;

/* ---- calls ---- */

static u64 word_of(const __u8 *bytes)
{
	u64 word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

s64 rv_call(struct smccc *out, u64 id, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	struct smccc regs = { { id, a, b, c, d, e } };

	smccc_hvc(&regs);
	if (out) {
		*out = regs;
	}
	return (s64)regs.x[0];
}

void rv_expect(const char *what, s64 wanted, u64 id, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	s64 status = rv_call(NULL, id, a, b, c, d, e);

	if (status != wanted) {
		fail("%s: status %ld, not %ld (call %#lx: %#lx %#lx %#lx %#lx %#lx)", what, status,
		     wanted, id, a, b, c, d, e);
	}
}

/* ---- pages ---- */

static u64 next_page;

/* The end of what lies in the way at [pa, pa + bytes), 0 if nothing does. */
static u64 obstacle(u64 pa, u64 bytes)
{
	struct range taken[2 * ENV_RANGES + 4];
	u32 count = 0, i;

	taken[count++] = machine.image;
	taken[count++] = machine.info;
	taken[count++] = (struct range){ (u64)machine.dtb, machine.dtb_bytes };
	for (i = 0; i < machine.core_count; i++) {
		taken[count++] = machine.core[i];
	}
	for (i = 0; i < count; i++) {
		if (taken[i].bytes && pa < taken[i].base + taken[i].bytes &&
		    taken[i].base < pa + bytes) {
			return taken[i].base + taken[i].bytes;
		}
	}
	return 0;
}

u64 tiny_pages(u64 count, u64 align_pages)
{
	u64 align = align_pages * PAGE_BYTES, bytes = count * PAGE_BYTES, end;

	for (;;) {
		next_page = (next_page + align - 1) & ~(align - 1);
		end = obstacle(next_page, bytes);
		if (!end) {
			break;
		}
		next_page = end;
	}
	if (!is_ram(next_page) || !is_ram(next_page + bytes - 1)) {
		fail("the tiny host has no memory left");
	}
	memset((void *)next_page, 0, bytes);
	next_page += bytes;
	return (next_page - bytes) / PAGE_BYTES;
}

void tiny_rewind(void)
{
	static u64 first;

	if (first) {
		next_page = first;
	}
	first = next_page;
}

static void top_up_pool(u64 pages)
{
	u64 pfn = tiny_pages(pages, 1), i;

	for (i = 0; i < pages; i++) {
		rv_expect("POOL_TOPUP", RV_OK, RV_POOL_TOPUP, pfn + i, 0, 0, 0, 0);
	}
}

static void top_up_vm(struct tiny_vm *vm, u64 pages)
{
	u64 pfn = tiny_pages(pages, 1), i;

	for (i = 0; i < pages; i++) {
		rv_expect("VM_TOPUP", RV_OK, RV_VM_TOPUP, vm->handle, pfn + i, 0, 0, 0);
	}
}

void tiny_begin(void)
{
	struct smccc out;
	s64 status = rv_call(&out, RV_VERSION, 0, 0, 0, 0, 0);

	if (status != RV_OK || out.x[1] >> 16 != RV_ABI_MAJOR) {
		fail("no corevisor: VERSION gives %ld, %#lx", status, out.x[1]);
	}
	tiny_facts = (struct tiny_facts){ (u32)out.x[2], (u32)out.x[3], (u32)out.x[5],
					  (u32)out.x[6], (u32)out.x[7] };
	next_page = machine.image.base + machine.image.bytes;
	next_page = (next_page + 0x3fffff) & ~0x1ffffful;
	top_up_pool(64);
}

/* ---- building a VM ---- */

void tiny_create(struct tiny_vm *vm, const char *name, const struct rv_launch *launch)
{
	struct smccc out = { { RV_VM_CREATE } };
	s64 status;
	int i;

	memset(vm, 0, sizeof(*vm));
	vm->name = name;
	vm->is_protected = launch != NULL;
	vm->record_pa = tiny_pages(tiny_facts.vm_pages, 1) * PAGE_BYTES;
	vm->root_pa = tiny_pages(2, 2) * PAGE_BYTES;
	out.x[1] = vm->record_pa / PAGE_BYTES;
	out.x[2] = vm->root_pa / PAGE_BYTES;
	out.x[3] = launch ? RV_VM_PROTECTED : 0;
	for (i = 0; launch && i < 4; i++) {
		out.x[4 + i] = word_of(&launch->owner[8 * i]);
	}
	smccc_hvc(&out);
	status = (s64)out.x[0];
	if (status != RV_OK || out.x[1] == 0) {
		fail("VM_CREATE of %s: status %ld, handle %#lx", name, status, out.x[1]);
	}
	vm->handle = out.x[1];
	top_up_vm(vm, 16);
	rv_expect("VM_ADD_RAM", RV_OK, RV_VM_ADD_RAM, vm->handle, TINY_RAM_BASE / PAGE_BYTES,
		  TINY_RAM_PAGES, 0, 0);
}

/* One page, by a call of three arguments that may want tables; notes what is behind `gpa` now. */
static s64 give(struct tiny_vm *vm, u64 gpa, u64 call, u64 where, u64 pfn)
{
	s64 status;
	int tries;

	for (tries = 0; tries < 3; tries++) {
		status = rv_call(NULL, call, vm->handle, where, pfn, 1, 0);
		if (status != RV_E_NOMEM) {
			break;
		}
		top_up_pool(16);
		top_up_vm(vm, 8);
	}
	if (status == RV_OK) {
		vm->backing[(gpa - TINY_RAM_BASE) / PAGE_BYTES] = (u32)pfn;
	}
	return status;
}

s64 tiny_map(struct tiny_vm *vm, u64 gpa, u64 pfn)
{
	return give(vm, gpa, RV_MEM_MAP, gpa / PAGE_BYTES, pfn);
}

static u64 pages_of(u64 bytes)
{
	return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

void tiny_load_pages(struct tiny_vm *vm, u64 gpa, u64 pfn, u64 bytes)
{
	struct smccc out = { { 0 } };
	s64 status = RV_OK;
	u64 i;

	if (vm->is_protected) {
		status = rv_call(&out, RV_IMAGE_ADD, vm->handle, gpa, bytes, 0, 0);
	}
	for (i = 0; i < pages_of(bytes) && status == RV_OK; i++) {
		u64 at = gpa + i * PAGE_BYTES;

		status = vm->is_protected ? give(vm, at, RV_IMAGE_MAP, out.x[1], pfn + i)
					  : tiny_map(vm, at, pfn + i);
	}
	if (status != RV_OK) {
		fail("content of %s at %#lx: status %ld", vm->name, gpa, status);
	}
}

void tiny_load(struct tiny_vm *vm, u64 gpa, const void *data, u64 bytes)
{
	u64 pfn = tiny_pages(pages_of(bytes), 1);

	memcpy((void *)(pfn * PAGE_BYTES), data, bytes);
	tiny_load_pages(vm, gpa, pfn, bytes);
}

s64 tiny_verify(struct tiny_vm *vm, const struct rv_launch *launch)
{
	u64 pfn = tiny_pages(1, 1);
	struct smccc out;
	s64 status;

	if (launch) {
		memcpy((void *)(pfn * PAGE_BYTES), launch, sizeof(*launch));
	}
	do {
		status = rv_call(&out, RV_VM_VERIFY, vm->handle, pfn, 0, 0, 0);
	} while (status == RV_OK && out.x[1] != 0);
	return status;
}

static void put_cpus(void *dtb, u32 vcpus)
{
	u32 i;

	fdt_begin_node(dtb, "cpus");
	fdt_property_u32(dtb, "#address-cells", 1);
	fdt_property_u32(dtb, "#size-cells", 0);
	for (i = 0; i < vcpus; i++) {
		char name[] = "cpu@0";

		name[4] = (char)('0' + i);
		fdt_begin_node(dtb, name);
		fdt_property_string(dtb, "device_type", "cpu");
		fdt_property_string(dtb, "enable-method", "psci");
		fdt_property_u32(dtb, "reg", i);
		fdt_end_node(dtb);
	}
	fdt_end_node(dtb);
}

void tiny_load_dtb(struct tiny_vm *vm, u32 vcpus, const char *bootargs)
{
	static char dtb[PAGE_BYTES] __attribute__((aligned(8)));
	fdt32_t reg[4] = { 0, cpu_to_fdt32(TINY_RAM_BASE), 0,
			   cpu_to_fdt32(TINY_RAM_PAGES * PAGE_BYTES) };

	fdt_create(dtb, sizeof(dtb));
	fdt_finish_reservemap(dtb);
	fdt_begin_node(dtb, "");
	fdt_property_u32(dtb, "#address-cells", 2);
	fdt_property_u32(dtb, "#size-cells", 2);
	fdt_begin_node(dtb, "chosen");
	fdt_property_string(dtb, "bootargs", bootargs);
	fdt_end_node(dtb);
	fdt_begin_node(dtb, "memory@40000000");
	fdt_property_string(dtb, "device_type", "memory");
	fdt_property(dtb, "reg", reg, sizeof(reg));
	fdt_end_node(dtb);
	fdt_begin_node(dtb, "psci");
	fdt_property_string(dtb, "compatible", "arm,psci-1.0");
	fdt_property_string(dtb, "method", "hvc");
	fdt_end_node(dtb);
	put_cpus(dtb, vcpus);
	fdt_end_node(dtb);
	if (fdt_finish(dtb) != 0) {
		fail("the guest's device tree does not fit");
	}
	tiny_load(vm, TINY_DTB_GPA, dtb, fdt_totalsize(dtb));
}

void tiny_add_vcpu(struct tiny_vm *vm, u32 index)
{
	u64 record = tiny_pages(tiny_facts.vcpu_pages, 1), run = tiny_pages(1, 1);

	vm->run[index] = (struct rv_run *)(run * PAGE_BYTES);
	rv_expect("VCPU_CREATE", RV_OK, RV_VCPU_CREATE, vm->handle, index, record, run, 0);
}

void tiny_build(struct tiny_vm *vm, const char *name, bool is_protected,
		const struct tiny_payload *payload, u32 vcpus, const char *bootargs)
{
	s64 status;
	u32 i;

	tiny_create(vm, name, is_protected ? payload->launch : NULL);
	tiny_load(vm, TINY_IMAGE_GPA, payload->image, (u64)(payload->image_end - payload->image));
	tiny_load_dtb(vm, vcpus, bootargs);
	for (i = 0; i < vcpus; i++) {
		tiny_add_vcpu(vm, i);
	}
	status = tiny_verify(vm, payload->launch);
	if (status != RV_OK) {
		fail("VM_VERIFY of %s: status %ld", name, status);
	}
	rv_expect("VCPU_BOOT", RV_OK, RV_VCPU_BOOT, vm->handle, 0, TINY_IMAGE_GPA, TINY_DTB_GPA, 0);
}

/* ---- running ---- */

s64 tiny_run_once(struct tiny_vm *vm, u32 index, u64 *exit)
{
	struct smccc out;
	s64 status = rv_call(&out, RV_VCPU_RUN, vm->handle, index, 0, 0, 0);

	if (status == RV_OK) {
		*exit = out.x[1];
		if (*exit < ARRAY_SIZE(vm->exits)) {
			vm->exits[*exit]++;
		}
		if (vm->run[index]->exit != *exit) {
			fail("%s: x1 says exit %lu, the run page %u", vm->name, *exit,
			     vm->run[index]->exit);
		}
	}
	vm->run[index]->in_flags = 0;
	return status;
}

static void put_char(struct tiny_vm *vm, char c)
{
	if (c == '\r') {
		return;
	}
	if (c != '\n' && vm->line_length < TINY_LINE - 1) {
		vm->line[vm->line_length++] = c;
		return;
	}
	vm->line[vm->line_length] = 0;
	memcpy(vm->last_line, vm->line, TINY_LINE);
	vm->line_length = 0;
	print("[%s] %s\n", vm->name, vm->line);
}

/*
 * The UART takes what is written and has nothing to read. False: the access is to something else.
 */
static bool answer_uart(struct tiny_vm *vm, struct rv_run *run)
{
	if (run->ipa < TINY_UART || run->ipa >= TINY_UART + PAGE_BYTES) {
		return false;
	}
	if (run->is_write && run->ipa == TINY_UART) {
		put_char(vm, (char)run->data);
	}
	if (!run->is_write) {
		run->in_flags = RV_IN_RESULT;
		run->in_data = run->ipa == TINY_UART + 0x18 ? 0x10 : 0; /* FR: receive FIFO empty */
	}
	return true;
}

/* All of the 2 MiB around `gpa`, if nothing of it is there yet. */
static bool answer_block(struct tiny_vm *vm, u64 gpa)
{
	u64 first = (gpa & ~(BLOCK_BYTES - 1)) - TINY_RAM_BASE, pfn, i;
	u32 *backing = &vm->backing[first / PAGE_BYTES];
	struct smccc out;
	s64 status;

	for (i = 0; i < BLOCK_BYTES / PAGE_BYTES; i++) {
		if (backing[i]) {
			return false;
		}
	}
	pfn = tiny_pages(BLOCK_BYTES / PAGE_BYTES, BLOCK_BYTES / PAGE_BYTES);
	memset((void *)(pfn * PAGE_BYTES), 0xa5, BLOCK_BYTES);
	top_up_pool(2);
	top_up_vm(vm, 2);
	status = rv_call(&out, RV_MEM_MAP, vm->handle, (TINY_RAM_BASE + first) / PAGE_BYTES, pfn,
			 BLOCK_BYTES / PAGE_BYTES, 0);
	if (status != RV_OK || out.x[1] != BLOCK_BYTES / PAGE_BYTES) {
		fail("MEM_MAP of 2 MiB around %#lx: status %ld, %lu pages", gpa, status, out.x[1]);
	}
	for (i = 0; i < BLOCK_BYTES / PAGE_BYTES; i++) {
		backing[i] = (u32)(pfn + i);
	}
	/* Guests here share the first pages of a block, if any. */
	if (vm->is_protected && tiny_is_readable(pfn + i - 1)) {
		fail("a page of a protected VM's block is readable");
	}
	return true;
}

static void answer_ram(struct tiny_vm *vm, u64 gpa)
{
	u64 pfn;
	s64 status;

	if (vm->gives_blocks && answer_block(vm, gpa)) {
		return;
	}
	pfn = tiny_pages(1, 1);
	memset((void *)(pfn * PAGE_BYTES), 0xa5, PAGE_BYTES); /* a guest must never see this */
	status = tiny_map(vm, gpa, pfn);
	if (status != RV_OK) {
		fail("%s asks for RAM at %#lx, MEM_MAP gives %ld", vm->name, gpa, status);
	}
}

u64 tiny_run(struct tiny_vm *vm, u32 index)
{
	struct rv_run *run = vm->run[index];
	u64 exit;
	s64 status;

	for (;;) {
		status = tiny_run_once(vm, index, &exit);
		if (status == RV_E_STATE && vm->may_die) {
			return RV_EXIT_DYING;
		}
		if (status != RV_OK) {
			fail("VCPU_RUN of %s, vCPU %u: status %ld", vm->name, index, status);
		}
		if (exit == RV_EXIT_RAM) {
			answer_ram(vm, run->ipa);
		} else if (exit == RV_EXIT_TABLES) {
			if (run->data == 0) {
				top_up_vm(vm, 8);
			} else {
				top_up_pool(8);
			}
		} else if (exit == RV_EXIT_MMIO) {
			if (!answer_uart(vm, run)) {
				return exit;
			}
		} else if (exit != RV_EXIT_WFI) {
			return exit;
		}
	}
}

bool tiny_ends_with(const struct tiny_vm *vm, const char *line)
{
	return strlen(vm->last_line) == strlen(line) &&
	       memcmp(vm->last_line, line, strlen(line)) == 0;
}

/* ---- the end ---- */

bool tiny_is_readable(u64 pfn)
{
	struct fault fault;

	faults_expect();
	(void)*(volatile u64 *)(pfn * PAGE_BYTES);
	fault = faults_taken();
	if (fault.count &&
	    (ESR_EC(fault.esr) != EC_DABT_EL1 || ESR_FSC(fault.esr) != FSC_ALIGNMENT)) {
		fail("reading page %#lx: esr %#lx, not an alignment fault", pfn, fault.esr);
	}
	return fault.count == 0;
}

bool tiny_is_zero(u64 pfn)
{
	const volatile u64 *words = (const volatile u64 *)(pfn * PAGE_BYTES);
	u64 i, all = 0;

	for (i = 0; i < PAGE_BYTES / 8; i++) {
		all |= words[i];
	}
	return all == 0;
}

static void reclaim(struct tiny_vm *vm)
{
	u64 first = TINY_RAM_BASE / PAGE_BYTES, end = first + TINY_RAM_PAGES, at = first;
	struct smccc out;
	u32 calls = 0;
	s64 status;

	while (at < end) {
		status = rv_call(&out, RV_MEM_RECLAIM, vm->handle, at, end - at, 0, 0);
		if (status != RV_OK || out.x[1] < at || out.x[1] > end ||
		    ++calls > TINY_RAM_PAGES) {
			fail("MEM_RECLAIM of %s at gfn %#lx: status %ld, next %#lx", vm->name, at,
			     status, out.x[1]);
		}
		at = out.x[1];
	}
}

void tiny_destroy(struct tiny_vm *vm)
{
	struct smccc out;
	u32 i, calls = 0;
	s64 status;

	rv_expect("VM_KILL", RV_OK, RV_VM_KILL, vm->handle, 0, 0, 0, 0);
	rv_expect("VM_KILL again", RV_OK, RV_VM_KILL, vm->handle, 0, 0, 0, 0);
	reclaim(vm);
	for (i = 0; i < TINY_RAM_PAGES; i++) {
		if (vm->backing[i] && !tiny_is_readable(vm->backing[i])) {
			fail("%s: page %u of its RAM did not come back", vm->name, i);
		}
		if (vm->backing[i] && vm->is_protected && !tiny_is_zero(vm->backing[i])) {
			fail("%s: page %u of its RAM came back with content", vm->name, i);
		}
	}
	do {
		status = rv_call(&out, RV_VM_DESTROY, vm->handle, 0, 0, 0, 0);
		if (status != RV_OK || ++calls > 1000) {
			fail("VM_DESTROY of %s: status %ld", vm->name, status);
		}
	} while (out.x[1] != 0);
	if (!tiny_is_readable(vm->record_pa / PAGE_BYTES) ||
	    !tiny_is_zero(vm->record_pa / PAGE_BYTES) ||
	    !tiny_is_readable(vm->root_pa / PAGE_BYTES) ||
	    !tiny_is_zero(vm->root_pa / PAGE_BYTES)) {
		fail("%s: its record or root did not come back scrubbed", vm->name);
	}
	rv_expect("VM_KILL after destroy", RV_E_NOENT, RV_VM_KILL, vm->handle, 0, 0, 0, 0);
}
