/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model test: random operations on the core and on the specification, side by side. An
 * operation is drawn with all its arguments first and then done, so that a list of them can be
 * repeated, shrunk and written down. Arguments that name a VM are slots of the specification: they
 * keep their meaning when earlier operations go.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdio.h>

#include "../matrix/observe.h"

#define OP_ARGS 7

struct op {
	u32 kind; /* index into model_ops[] */
	u32 cpu;
	u64 arg[OP_ARGS];
};

/* What an operation came to. Values count only on status 0. */
struct outcome {
	s64 status; /* enum cv_status; PSCI's for what a guest calls; fake_* accesses: 0 or
		       CV_E_PERM */
	u64 value;
};

/* Bit n: status -n is possible. */
#define STATUS(s) (1u << -(s))

struct op_kind {
	const char *name;
	u64 call; /* of abi.h; RV_VCPU_RUN for each step of one; 0: none */
	u32 weight;
	u32 statuses;		      /* all must come in a long run, no other may come */
	const char *arg[OP_ARGS + 1]; /* names, NULL ends them */
	void (*draw)(u64 *arg);
	/* NULL: always. Whether it makes sense just now, by the specification's state. */
	bool (*applies)(const u64 *arg);
	struct outcome (*core)(const u64 *arg);
	/* After `core`, whose outcome it may not look at. */
	struct outcome (*spec)(const u64 *arg);
};

extern const struct op_kind model_ops[];
extern const u32 model_op_count;

/* ---- the machine under test ---- */
struct model_machine {
	struct fake_machine fake;
	/* Pages that the draws prefer; the machine has more. */
	struct {
		u64 first;
		u64 pages;
		u32 weight;
	} area[6];
	u32 restart; /* steps on one machine */
};
extern const struct model_machine model_machine;

struct model {
	struct spec_state spec;
	u64 dead[SPEC_VMS]; /* last handle of each slot that is no more */
	u32 cpu;	    /* that does the step */
	/* Pages that the step gave to a VM with what was in them. */
	u64 kept_first;
	u64 kept_pages;
};
extern struct model model;

/* Boots a fresh machine. */
void model_boot(void);
/* One operation on both sides and all checks. *skipped: it did not apply. */
struct outcome model_step(const struct op *op, const char *what, bool *skipped);

/* The VM in a slot; of an empty one its last VM's handle. SPEC_VMS: a handle that never was. */
u64 model_handle(u64 slot);
struct spec_vm *model_vm(u64 slot);		   /* NULL: empty */
struct spec_vcpu *model_vcpu(u64 slot, u64 index); /* NULL: none */
struct vcpu *model_core_vcpu(u64 slot, u64 index); /* the core's record; Pre: it exists */

/* Whether a vCPU of the VM may have run, and may be running still. */
bool model_has_begun(const struct spec_vm *vm);
/* Some hostile CPU writes to this page at every moment. */
bool model_is_written(u64 pfn);
/* What an access of software or a device comes to. */
struct outcome model_fault_unless(bool ok);
/* Contents are tokens; what a write makes of one is looked up. */
void model_retoken(u64 pfn);

/* The content of a page as it is, whatever the specification says; 0: no RAM. */
u64 model_seen_token(u64 pfn);
/* A new machine: no snapshot is left (ops_seal.c). */
void model_forget_snapshots(void);

/* ---- draws ---- */
void draw_seed(u64 seed);
void draw_op(struct op *op);
/* For a draw: this operation comes next, before others are drawn. Arguments as in its row. */
void draw_then(const char *name, const u64 *arg, u32 count);
u64 pick(u64 below);
bool one_in(u64 n);
u64 pick_slot(void);
/* A VM that is wanted, mostly, if there is one. */
u64 pick_slot_where(bool (*is_wanted)(const struct spec_vm *vm));
bool is_off(const struct spec_vm *vm); /* for it */
u64 pick_pfn(void);		       /* any, sometimes absurd */
bool is_free_pfn(u64 pfn);	       /* the host's alone */
u64 pick_free_pfn(void);	       /* mostly */
u64 pick_root(void);		       /* two free pages, aligned, mostly */
u64 pick_gfn(void);
u64 pick_unbacked_gfn(u64 slot); /* in the VM's RAM, mostly */
u64 pick_backed_gfn(u64 slot);	 /* mostly */
u64 pick_vcpu(u64 slot);
u64 pick_bootable_vcpu(u64 *slot); /* mostly, if any VM has one; and so on */
u64 pick_runnable_vcpu(u64 *slot);
u64 pick_active_vcpu(u64 *slot);

/* ---- lists of operations ---- */
void op_print(FILE *to, const struct op *op);
/* Reads lines as op_print() writes them, with or without "# " in front. Returns how many. */
u32 ops_read(FILE *from, struct op *ops, u32 max);
/* Whether doing `ops` on a fresh machine in a child process fails. If so and `why` is not NULL,
 * what it said is put there. */
bool ops_fail(const struct op *ops, u32 count, char *why, size_t why_bytes);
/* Takes out what is not needed to fail, as far as the time suffices; returns how many are left. */
u32 ops_shrink(struct op *ops, u32 count, double seconds);

#endif
