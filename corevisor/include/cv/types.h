/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fixed-width names, and addresses as types: an IPA where a PA is due does not compile (style.md 3.3).
 * A raw register value becomes an address only through the checked constructors of hcall.c, fault.c and rsi.c.
 */
#ifndef CV_TYPES_H
#define CV_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cv/geometry.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint16_t u16;
typedef uint8_t u8;
typedef int64_t s64;

typedef struct { u64 v; } pa_t;	   /* host physical address */
typedef struct { u64 v; } ipa_t;   /* guest (or, identity-mapped, host) intermediate physical address */
typedef struct { u64 v; } pfn_t;   /* pa_t / PAGE_SIZE */
typedef struct { u64 v; } gfn_t;   /* ipa_t / PAGE_SIZE */
typedef struct { u16 v; } vmid_t;  /* stage-2 VMID; ledger.h: whose; s2.h: DMA contexts */

#define PAGE_SIZE (1ull << PAGE_SHIFT)
#define TABLE_ENTRIES (1ull << TABLE_BITS)
#define BLOCK_SHIFT (PAGE_SHIFT + TABLE_BITS) /* a level-2 leaf (2 MiB); also the size of a ledger lock's region */
#define BLOCK_SIZE (1ull << BLOCK_SHIFT)
#define PAGES_PER_BLOCK (BLOCK_SIZE / PAGE_SIZE)
#define GFN_LIMIT (1ull << (IPA_BITS - PAGE_SHIFT))

static inline pa_t pa_make(u64 v) { return (pa_t){ v }; }
static inline ipa_t ipa_make(u64 v) { return (ipa_t){ v }; }
static inline pfn_t pfn_make(u64 v) { return (pfn_t){ v }; }
static inline gfn_t gfn_make(u64 v) { return (gfn_t){ v }; }
static inline pfn_t pa_pfn(pa_t pa) { return (pfn_t){ pa.v >> PAGE_SHIFT }; }
static inline pa_t pfn_pa(pfn_t pfn) { return (pa_t){ pfn.v << PAGE_SHIFT }; }
static inline gfn_t ipa_gfn(ipa_t ipa) { return (gfn_t){ ipa.v >> PAGE_SHIFT }; }
static inline ipa_t gfn_ipa(gfn_t gfn) { return (ipa_t){ gfn.v << PAGE_SHIFT }; }
static inline pfn_t pfn_add(pfn_t pfn, u64 n) { return (pfn_t){ pfn.v + n }; }
static inline gfn_t gfn_add(gfn_t gfn, u64 n) { return (gfn_t){ gfn.v + n }; }
/* The host's map is the identity. */
static inline gfn_t pfn_host_gfn(pfn_t pfn) { return (gfn_t){ pfn.v }; }

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline u64 align_up(u64 v, u64 to) { return (v + to - 1) & ~(to - 1); }
static inline u64 align_down(u64 v, u64 to) { return v & ~(to - 1); }
static inline bool is_aligned(u64 v, u64 to) { return (v & (to - 1)) == 0; }
static inline u64 min_u64(u64 a, u64 b) { return a < b ? a : b; }

#endif
