/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One status type for every refusal; the values are the ABI's, so that a status travels unchanged to the caller.
 * Out-pointers are written only on CV_OK.
 */
#ifndef CV_STATUS_H
#define CV_STATUS_H

#include <ravelin/abi.h>

enum cv_status {
	CV_OK = RV_OK,
	CV_E_NOT_SUPPORTED = RV_E_NOT_SUPPORTED,
	CV_E_INVALID = RV_E_INVALID,
	CV_E_RANGE = RV_E_RANGE,
	CV_E_NOENT = RV_E_NOENT,
	CV_E_STATE = RV_E_STATE,
	CV_E_BUSY = RV_E_BUSY,
	CV_E_NOMEM = RV_E_NOMEM,
	CV_E_PERM = RV_E_PERM,
	CV_E_NOENTROPY = RV_E_NOENTROPY,
	CV_E_AUTH = RV_E_AUTH,
};

#define CV_MUST_USE __attribute__((warn_unused_result))

#endif
