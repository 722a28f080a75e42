/*
 * The subcommands. Each gets the arguments from its own name on, and returns
 * the exit status: 0 done, 1 failed, 2 usage, 3 finished but some inputs failed.
 */
#ifndef FOVEA_TOOLS_COMMANDS_H
#define FOVEA_TOOLS_COMMANDS_H

int fovea_cmd_preprocess(int argc, char **argv);

#endif
