/*
 * The subcommands, one file cmd_NAME.c each. Every function takes the words
 * from the command's own name on and returns an exit code (exit_codes.h).
 */
#ifndef FOVEA_TOOLS_COMMANDS_H
#define FOVEA_TOOLS_COMMANDS_H

int cmd_bench(int argc, char **argv);
int cmd_classify(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_compile(int argc, char **argv);
int cmd_convert(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_ops(int argc, char **argv);
int cmd_preprocess(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_zoo(int argc, char **argv);

#endif
