/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sealed snapshots, whole: the host's calls above, real memory, real cryptography, the fake machine
 * below. The root secret is the test's, so it can also do what no host can: read and forge records.
 *
 * Before each test a VM (source) has lived and was saved (snap); an empty VM (target) waits for it.
 * Each encryption comes by here, and no nonce may come twice.
 */
#ifndef SEAL_FIXTURE_H
#define SEAL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../arch-fake/fake.h"
#include "../../arch-fake/fake_vcpu.h"

#include <cv/arch.h>
#include <cv/crypto.h>
#include <cv/seal.h>
#include <cv/vcpu.h>
#include <string.h>

#include "owner.h"
#include "snapshot.h"

#define PAGE(n) ((0x40200000ull >> PAGE_SHIFT) + (n))
#define NO_RAM (0x30000000ull >> PAGE_SHIFT)
#define R 0x40000ull /* the VM's RAM, at 1 GiB: 16 MiB, */
#define R_PAGES 4096ull
#define S 0x80000ull /* and more at 2 GiB */
#define S_PAGES 1112ull
#define TABLES 12
#define VCPUS 3
#define ODD 0x1111111111111111ull
#define ONE_PAGE (RV_SEAL_BACKED | 1ull << RV_SEAL_PAGES_SHIFT) /* what a record is of */

/* Pages of the host. A VM is built of the 100 pages from its base on. */
enum {
	SOURCE = 0,
	TARGET = 100,
	OTHER = 200,
	IO = 300, /* records go through it */
	LAUNCH,
	IMAGE,
	SPARE = 310,
	POOL = 400,
	LOADED = 600, /* and the next ones: page records are loaded into them */
	LOADED_2 = 700
};

extern const u32 indices[VCPUS]; /* of the vCPUs */
extern u8 root_secret[32];
extern struct owner owner, stranger;
extern u64 source, target; /* handles */
extern struct snapshot snap;
extern void (*before_open)(void); /* called before each decryption */

void __real_crypto_seal(const struct crypto_record *record, void *data, u64 bytes, u8 *tag);
bool __real_crypto_open(const struct crypto_record *record, void *data, u64 bytes, const u8 *tag);

int set_up(void **state);
int tear_down(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#define expect(status, ...) assert_int_equal(CALL(__VA_ARGS__), status)

/* ---- VMs, by their base ---- */
u64 vcpu_page(u64 base, u32 i); /* the vCPU's record; its run page is behind it */
struct vcpu *vcpu_at(u64 base, u32 i);
struct vm *vm_at(u64 base);
u64 build(u64 base);
u64 build_with(u64 base, const struct owner *of, u64 ram_pages, u32 vcpus);
/* Gives a VM its image, whose page is `page`, and verifies it. */
void verify(u64 vm, u64 page);
s64 run(u64 vm, u64 index);
void wish(u64 vm, u64 gfn, u64 pages, enum s2_wish to);
u64 word_of(u64 gfn, u64 offset); /* what the guest wrote there */
/* The VM is off and gives everything back, scrubbed. */
void end_vm(u64 vm);
void new_target(void);

/* ---- snapshots ---- */
void save_vcpus(void); /* of source, after BEGIN */
s64 load_all(void);
void must_load(void);
s64 begin_with(const struct rv_seal_header *header);
u32 first_of(u64 kind, u64 at); /* the record's number */
s64 step(u32 i);		/* loads record i */
void steps(u32 count);		/* BEGIN, and the first `count` records */
/* Nothing runs, nothing was taken; and the right record i still goes, and all after it. */
void goes_on_with(u32 i);
/* A record that is not record i. Content that was taken is given back scrubbed. */
void refused(const struct snapshot_record *record, u32 i, s64 status);

#endif
