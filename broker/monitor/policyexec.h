/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICYEXEC_H
#define VFIOBROKER_POLICYEXEC_H

/*
 * In a child of its own: executes the loader, which is not root and writes the
 * compiled policy to out.
 */
void policyexec(int out) __attribute__((noreturn));

#endif
