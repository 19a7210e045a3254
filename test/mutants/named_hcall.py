# SPDX-License-Identifier: BSD-3-Clause
"""Mistakes between the host's registers and the functions that serve its calls."""

from source import drop, sub

MUTANTS = [
    ("hcall-result-on-refusal", "hcall", "hcall", drop("if (status != CV_OK)")),
    ("hcall-refusal-not-told", "hcall", "hcall", drop("info_refusal(")),
    ("hcall-upper-half-of-id", "hcall", "hcall", sub("& 0xffffffffull", "")),
    ("hcall-result-too-many", "hcall", "hcall", sub("i < service->results", "i < RESULTS_MAX")),
    ("hcall-result-one-less", "hcall", "hcall", sub("i < service->results", "i + 1 < service->results")),
    ("hcall-result-in-x0", "hcall", "hcall", sub("regs->x[1 + i]", "regs->x[i]")),
    ("hcall-no-status", "hcall", "hcall", drop("regs->x[0] =")),
    ("hcall-always-published", "hcall", "hcall", sub("id != RV_VCPU_RUN && id != RV_MEM_MAP", "true")),
    ("hcall-never-published", "hcall", "hcall", drop("info_publish(")),
    ("hcall-last-call-missing", "hcall", "find_service", sub("i < ARRAY_SIZE(services)", "i + 1 < ARRAY_SIZE(services)")),
    ("hcall-unknown-is-good", "hcall", "hcall", sub("? CV_E_NOT_SUPPORTED", "? CV_OK")),
    ("hcall-version-entropy", "hcall", "hc_version", sub("rng_is_ready() ? RV_FEAT_ENTROPY : 0", "RV_FEAT_ENTROPY")),
    ("hcall-create-owner-shifted", "hcall", "hc_vm_create", sub("&call->arg[3]", "&call->arg[2]")),
    ("hcall-map-swapped", "hcall", "hc_mem_map", sub("a[1], a[2]", "a[2], a[1]")),
    ("hcall-boot-swapped", "hcall", "hc_vcpu_boot", sub("call->arg[2], call->arg[3]", "call->arg[3], call->arg[2]")),
    ("hcall-vcpu-pages-swapped", "hcall", "hc_vcpu_create", sub("call->arg[2], call->arg[3]", "call->arg[3], call->arg[2]")),
    ("hcall-image-swapped", "hcall", "hc_image_map", sub("a[1], a[2]", "a[2], a[1]")),
    ("hcall-measure-three", "hcall", None, sub("{ RV_VM_MEASURE, 4", "{ RV_VM_MEASURE, 3")),
    ("hcall-run-without-exit", "hcall", None, sub("{ RV_VCPU_RUN, 1", "{ RV_VCPU_RUN, 0")),
]
