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
bool is_begun_vm(const u64 *arg); /* its guest may be running */

/* ops_image.c */
OP_FUNCTIONS(image_add);
OP_FUNCTIONS(image_map);
OP_FUNCTIONS(vm_verify);
OP_FUNCTIONS(vm_measure);
/* Its owner's launch page, honest, for a VM whose images are all signed. */
void draw_verify(u64 slot, u64 entry);
/* Owners by number, from 1; 0 is none. */
const u64 *owner_words(u64 number);
void owner_set(u64 slot, u64 number);

u64 owner_number(u64 slot);
u64 manifest_first_word(u64 slot); /* of the hash of what the VM was started with */
void manifest_set(u64 slot, u64 first_word);

/* ops_seal.c */
OP_FUNCTIONS(seal_save_begin);
OP_FUNCTIONS(seal_save_vcpu);
OP_FUNCTIONS(seal_save_page);
OP_FUNCTIONS(seal_save_end);
OP_FUNCTIONS(seal_abort);
OP_FUNCTIONS(seal_load_begin);
OP_FUNCTIONS(seal_load_vcpu);
OP_FUNCTIONS(seal_load_page);
OP_FUNCTIONS(seal_load_end);
/* All of a snapshot that was begun, with at most so many records of pages, unless something comes
 * between. */
void draw_save(u64 slot, u32 vcpus, u64 records);
/* A complete snapshot that is kept, and whose; SNAPSHOTS: none. */
#define SNAPSHOTS 3
u64 snapshot_to_restore(u64 *owner);
/* Builds what the VM must be, for an empty one, and loads it. */
void draw_restore(u64 slot, u64 snapshot);

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
