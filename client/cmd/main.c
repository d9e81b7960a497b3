/* SPDX-License-Identifier: ISC */
/*
 * main() and nothing else, so that tests can link the rest and call
 * command_main() themselves.
 */

#include "command.h"

int
main(int argc, char **argv)
{
	return command_main(argc, argv);
}
