/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_OPTIONS_H
#define VFIOBROKER_OPTIONS_H

/* Fills config, or prints help or an error and exits. */
void options_parse(int argc, char **argv);

#endif
