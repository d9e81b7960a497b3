/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_LOADER_NAMES_H
#define VFIOBROKER_LOADER_NAMES_H

#include "../../policy/parse/load.h"

/* Names as the system's NSS knows them.  May take as long as it likes. */
extern const struct policy_resolver names_nss;

#endif
