/* SPDX-License-Identifier: BSD-3-Clause */
/* The specification's state for the machine of the races. */
#ifndef SPEC_SIZE_H
#define SPEC_SIZE_H

#define SPEC_PAGES 256
#define SPEC_BLOCKS 40
#define SPEC_GFNS 96
#define SPEC_VMS 4
#define SPEC_VCPUS 3
#define SPEC_DONATED 120
#define SPEC_CONTEXTS 3
#define SPEC_IO 8 /* all of FAKE_IO_PAGES: draws name them by chance, too */

#endif
