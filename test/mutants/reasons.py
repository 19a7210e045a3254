# SPDX-License-Identifier: BSD-3-Clause
"""Why a mutant that no test catches may live. "equivalent": no caller and no input can tell it from the original. "unseen": it
differs, but only where these tests cannot look (the hardware, another suite); it counts as not caught."""

REASONS = {
}
