/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICYEXEC_H
#define VFIOBROKER_POLICYEXEC_H

/*
 * In a child of its own: reads the policy's files, becomes the sessions' user
 * and executes the loader, which writes the compiled policy to out.  Returns
 * only when that fails: -errno.
 */
int policyexec(int out);

#endif
