/* SPDX-License-Identifier: BSD-3-Clause */
/* The specification's state for the machine of this directory's cv/geometry.h. */
#ifndef SPEC_SIZE_H
#define SPEC_SIZE_H

#define SPEC_PAGES 120
#define SPEC_BLOCKS 16
#define SPEC_GFNS 96
#define SPEC_VMS 4
#define SPEC_VCPUS 3
#define SPEC_DONATED 120
#define SPEC_CONTEXTS 3
#define SPEC_IO 8 /* all of FAKE_IO_PAGES: draws name them by chance, too */

#endif
