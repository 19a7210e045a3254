/* SPDX-License-Identifier: BSD-3-Clause */
/* The functions behind the rows of ops.c, by the file that has them. */
#ifndef MODEL_OPS_H
#define MODEL_OPS_H

#include "model.h"

#define OP_FUNCTIONS(name)                          \
	void draw_##name(u64 *arg);                 \
	struct outcome core_##name(const u64 *arg); \
	struct outcome expect_##name(const u64 *arg)

/* ops_vm.c */
OP_FUNCTIONS(vm_create);
OP_FUNCTIONS(vm_topup);
OP_FUNCTIONS(vm_add_ram);
OP_FUNCTIONS(vm_create_vcpu);
OP_FUNCTIONS(vm_kill);
OP_FUNCTIONS(vm_destroy);
OP_FUNCTIONS(pool_topup);

bool has_room(const u64 *arg); /* for one more VM in the specification */

/* ops_mem.c */
OP_FUNCTIONS(map);
OP_FUNCTIONS(reclaim);
OP_FUNCTIONS(set_wish);
OP_FUNCTIONS(get_wish);
OP_FUNCTIONS(vm_write);
OP_FUNCTIONS(host_access);
OP_FUNCTIONS(guest_access);
bool is_live_vm(const u64 *arg);
bool is_begun_vm(const u64 *arg); /* its guest may have run */

/* ops_image.c */
OP_FUNCTIONS(image_add);
OP_FUNCTIONS(image_map);
OP_FUNCTIONS(vm_verify);
OP_FUNCTIONS(vm_measure);
/* Owners by number, from 1; 0 is none. */
const u64 *owner_words(u64 number);
void owner_set(u64 slot, u64 number);

/* ops_dma.c */
OP_FUNCTIONS(dma_alloc);
OP_FUNCTIONS(dma_topup);
OP_FUNCTIONS(dma_map);
OP_FUNCTIONS(dma_unmap);
OP_FUNCTIONS(dma_free);
OP_FUNCTIONS(dma_access);
OP_FUNCTIONS(map_io);

/* ops_vcpu.c */
OP_FUNCTIONS(boot);
OP_FUNCTIONS(claim);
OP_FUNCTIONS(start);
OP_FUNCTIONS(release);
OP_FUNCTIONS(read_regs);
OP_FUNCTIONS(cpu_on);
OP_FUNCTIONS(cpu_off);
OP_FUNCTIONS(affinity_info);
OP_FUNCTIONS(stop_vm);
bool is_active(const u64 *arg);

#endif
