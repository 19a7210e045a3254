/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random calls of the whole surface by threads that are CPUs, on a few VMs, pages and DMA contexts,
 * so that they meet. Nobody can say what such calls must answer: between them, with all CPUs
 * stopped, the state must be one that the specification allows (spec/invariants.c), and in the end
 * all comes back. Drawn by each thread on its own: a seed repeats the draws, not the interleaving.
 */
#ifndef RACES_H
#define RACES_H

#include "../matrix/observe.h"

#define RACES_CPUS 3

extern const struct fake_machine race_machine;

/* The host's calls. Arguments: h VM, g gfn, o gfn outside RAM, p page, s page for a record, r two
 * pages, d device page, n pages, c DMA context, i vCPU, e entry, m small number, w what of a
 * record, x anything. */
struct race_call {
	const char *name;
	u64 id;
	u32 weight; /* alone; steps make calls, too */
	char arguments[8];
};
extern const struct race_call race_calls[];
extern const u32 race_call_count;

/* What the CPUs know of the machine, and tell each other. Atomic. */
struct races {
	u64 handle[VM_SLOTS];		 /* the last VM that was made in each slot */
	u64 context_vm[SPEC_CONTEXTS];	 /* to whom a context was given last */
	u64 pfn[VM_SLOTS][SPEC_GFNS];	 /* what was mapped there last */
	u64 pool_pages;			 /* given to the core for good */
	u64 answers[64][-RV_E_AUTH + 1]; /* by call and status */
};
extern struct races races;

u64 race_slot(u64 handle);

/* This thread is CPU `cpu` and draws by `seed` from now on. */
void race_begin(u32 cpu, u64 seed);
/* One step of this CPU. */
void race_step(void);
void race_call_alone(void);
/* Ends it, as far as nothing stands against it. */
void race_end_vm(u64 handle);
void race_end_context(u64 context);

/* ---- draws ---- */
#define RAM_PAGES (SPEC_GFNS / 2) /* of each VM */
void draw_begin(u32 cpu, u64 seed);
u64 draw(u64 below);
bool chance(u64 one_in);
u64 odd(void);
/* A page of the host's through which records go: nobody gives it away, but others may name it, too.
 */
u64 own_page(u32 cpu);
/* Nobody but this CPU names it: while it is checked, the host cannot read it. */
u64 launch_page(u32 cpu);
u64 any_pfn(void);
u64 draw_pfn(void); /* free a moment ago, mostly */
u64 draw_root(void);
u64 draw_gfn(void);
u64 draw_handle(void);
u64 draw_count(void);
u64 draw_vcpu(void);
/* Both are aligned to a block as often as not; returns how many pages. */
u64 draw_block(u64 *gfn, u64 *pfn);

#endif
