/* SPDX-License-Identifier: BSD-3-Clause */
/* The page that the host can read. Counters live here per CPU, so that counting costs one store;
 * publishing adds them. */
#include <cv/info.h>

#include <cv/arch.h>
#include <cv/arch_host.h>
#include <cv/ledger.h>
#include <cv/log.h>
#include <cv/vm.h>

_Static_assert(sizeof(struct rv_info) <= PAGE_SIZE, "the log begins on the second page");

static struct rv_info *info;
static struct {
	u64 exits[RV_CLASS_COUNT];
	u32 lag;
} counters[CPU_MAX];
static u32 cpu_count;
static u64 faults;
static u64 cpus_online;

void info_init(pa_t base, u64 features, const struct info_sizes *sizes)
{
	info = arch_core_va(base);
	cpu_count = sizes->cpus;
	info->abi = (u64)RV_ABI_MAJOR << 16 | RV_ABI_MINOR;
	info->info_bytes = INFO_PAGES * PAGE_SIZE;
	info->log_offset = PAGE_SIZE;
	info->log_bytes = (INFO_PAGES - 1) * PAGE_SIZE;
	info->features = features;
	info->core_image_bytes = sizes->image_bytes;
	info->core_ledger_bytes = sizes->ledger_bytes;
	info->magic = RV_INFO_MAGIC;
	log_attach((char *)info + info->log_offset, info->log_bytes, &info->log_head);
}

static void publish_counts(void)
{
	for (u32 class = 0; class < RV_CLASS_COUNT; class ++) {
		u64 sum = 0;

		for (u32 cpu = 0; cpu < cpu_count; cpu++) {
			sum += __atomic_load_n(&counters[cpu].exits[class], __ATOMIC_RELAXED);
		}
		__atomic_store_n(&info->exits[class], sum, __ATOMIC_RELAXED);
	}
	for (u32 i = 0; i < RV_PAGES_STATES; i++) {
		__atomic_store_n(&info->pages[i], ledger_count((enum rv_page_state)i),
				 __ATOMIC_RELAXED);
	}
}

void info_publish(void)
{
	publish_counts();
	info->ram_pages = ledger_ram_pages();
	/* Whatever of ours is neither image nor ledger: tables, stacks, records of VMs. */
	info->core_table_bytes = info->pages[RV_PAGES_CORE] * PAGE_SIZE - info->core_image_bytes -
				 info->core_ledger_bytes;
	info->vm_count = vm_count();
	info->vcpu_count = vm_vcpu_count();
	__atomic_store_n(&info->faults_injected, __atomic_load_n(&faults, __ATOMIC_RELAXED),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&info->cpus_online, __atomic_load_n(&cpus_online, __ATOMIC_RELAXED),
			 __ATOMIC_RELAXED);
	arch_clean_range(info, sizeof(*info));
}

void info_count(enum rv_exit_class class)
{
	u32 cpu = arch_cpu_index();
	u64 *counter = &counters[cpu].exits[class];

	/* Only this CPU writes its counters. */
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
	if (++counters[cpu].lag >= INFO_LAG) {
		counters[cpu].lag = 0;
		info_publish();
	}
}

void info_refusal(u64 call, s64 status, u64 first_argument)
{
	/* Three stores: of two refusals at once a reader may see parts of each. */
	info->last_refusal_call = call;
	info->last_refusal_status = (u64)status;
	info->last_refusal_arg = first_argument;
	info_publish();
}

void info_fault_injected(void)
{
	__atomic_fetch_add(&faults, 1, __ATOMIC_RELAXED);
	info_publish();
}

void info_cpu_online(s64 change)
{
	__atomic_fetch_add(&cpus_online, (u64)change, __ATOMIC_RELAXED);
	info_publish();
}
