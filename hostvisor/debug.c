// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/hostvisor: run_pages, the pfn of every page shared with the corevisor (for
 * tests that look for secrets there); vcpus, what each vCPU did last, unlocked and so only nearly
 * consistent (for "it hangs").
 */
#include "hostvisor.h"

#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/seq_file.h>

static void hv_show_run_page(struct hv_vcpu *vcpu, void *seq)
{
	seq_printf(seq, "%lx\n", page_to_pfn(virt_to_page(vcpu->run)));
}

static int hv_run_pages_show(struct seq_file *seq, void *unused)
{
	hv_vm_for_each_vcpu(hv_show_run_page, seq);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(hv_run_pages);

static void hv_show_irq(struct seq_file *seq, const struct vgic_irq *irq)
{
	if (!irq->owner && !irq->line && !irq->is_latched)
		return;
	seq_printf(seq, "  irq %u:%s%s%s%s%s%s\n", irq->intid, irq->is_enabled ? " enabled" : "",
		   irq->is_latched ? " latched" : "", irq->line ? " line" : "",
		   irq->is_active ? " active" : "", irq->in_lr ? " in-lr" : "",
		   irq->owner ? " queued" : "");
}

static void hv_show_vcpu(struct hv_vcpu *vcpu, void *data)
{
	const struct rv_run *run = vcpu->run;
	struct seq_file *seq = data;
	u64 now = hv_counter();
	unsigned int i;

	seq_printf(seq, "vm %llx vcpu %u: state %d power %d in_run %d exit %u ipa %llx\n",
		   vcpu->vm->handle, vcpu->index, vcpu->vm->state, atomic_read(&vcpu->power),
		   vcpu->in_run, run->exit, run->ipa);
	seq_printf(seq, "  vtimer pending %u in %lld, ptimer pending %u in %lld, misr %x\n",
		   run->vtimer_pending, (s64)(run->vtimer_deadline - now), run->ptimer_pending,
		   (s64)(run->ptimer_deadline - now), run->misr);
	for (i = 0; i < run->in_lr_count && i < RV_MAX_LRS; i++)
		seq_printf(seq, "  lr %u: %016llx -> %016llx\n", i, run->in_lr[i], run->lr[i]);
	for (i = 0; i < VGIC_PRIVATE; i++)
		hv_show_irq(seq, &vcpu->vgic.private[i]);
}

static int hv_vcpus_show(struct seq_file *seq, void *unused)
{
	hv_vm_for_each_vcpu(hv_show_vcpu, seq);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(hv_vcpus);

static struct dentry *hv_debugfs;

void hv_debugfs_init(void)
{
	hv_debugfs = debugfs_create_dir("hostvisor", NULL);
	debugfs_create_file("run_pages", 0400, hv_debugfs, NULL, &hv_run_pages_fops);
	debugfs_create_file("vcpus", 0400, hv_debugfs, NULL, &hv_vcpus_fops);
}

void hv_debugfs_exit(void)
{
	debugfs_remove_recursive(hv_debugfs);
}
