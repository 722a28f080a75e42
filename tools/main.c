/* The fovea command: finds the subcommand and calls it. */
#include "runtime/dnn.h"
#include "runtime/fovea.h"
#include "tools/commands.h"
#include "tools/exit_codes.h"
#include "tools/say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
};

/* In the order of --help. */
static const struct command commands[] = {
    {"classify", cmd_classify, "the most likely labels of images"},
    {"eval", cmd_eval, "top-1 and top-5 over a labelled dataset"},
    {"compare", cmd_compare, "two evaluations: paired difference, test, which images flipped"},
    {"preprocess", cmd_preprocess, "the exact pixels a model would see"},
    {"verify", cmd_verify, "compare a model's outputs with stored ones"},
    {"diff", cmd_diff, "the first node where two models, or two ways to run one, differ"},
    {"bench", cmd_bench, "latency, throughput and share of the machine's limit"},
    {"run", cmd_run, "tensors in, tensors out"},
    {"compile", cmd_compile, "store a planned model, so that it starts at once"},
    {"convert", cmd_convert, "a checkpoint to ONNX"},
    {"inspect", cmd_inspect, "inputs, size, preprocessing, memory plan and fusions of a model"},
    {"zoo", cmd_zoo, "the systems that can be made up by name, and published figures"},
    {"ops", cmd_ops, "list the supported operators and opsets"},
};

enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct command *find_command(const char *name) {
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static void print_help(FILE *stream) {
    fprintf(stream, "usage: fovea COMMAND [options] ...\n\n"
                    "Runs image classifiers (NFNet, ViT and their kin) exported to ONNX.\n\n"
                    "commands:\n");
    for (size_t i = 0; i < N_COMMANDS; i++) {
        fprintf(stream, "  %-12s%s\n", commands[i].name, commands[i].help);
    }
    fprintf(stream, "\n'fovea COMMAND --help' or 'fovea help COMMAND' tells about one.\n"
                    "Exit status: 0 done, 1 failed, 2 wrong usage, 3 finished but some inputs "
                    "failed.\n");
}

static int unknown_command(const char *name) {
    const char *names[N_COMMANDS];
    for (size_t i = 0; i < N_COMMANDS; i++) {
        names[i] = commands[i].name;
    }
    const char *near = nearest_word(name, names, N_COMMANDS);
    say("fovea: unknown command '%s'%s%s%s", fovea_quote(name).text, near ? "; is it '" : "",
        near ? near : "", near ? "'?" : "");
    say("Try 'fovea --help'.");
    return EXIT_USAGE;
}

static int help_command(int argc, char **argv) {
    if (argc < 2) {
        print_help(stdout);
        return EXIT_DONE;
    }
    const struct command *command = find_command(argv[1]);
    if (!command) {
        return unknown_command(argv[1]);
    }
    char help[] = "--help";
    char *words[] = {argv[1], help, NULL};
    return command->run(2, words);
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(name, "--version") == 0) {
        printf("fovea %s (oneDNN %s)\n", FOVEA_VERSION, fovea_dnn_version());
        return EXIT_DONE;
    }
    if (strcmp(name, "help") == 0) {
        return help_command(argc - 1, argv + 1);
    }
    const struct command *command = find_command(name);
    return command ? command->run(argc - 1, argv + 1) : unknown_command(name);
}

/*
 * Let OpenMP's threads wait for a moment before they sleep, unless the user chose.
 *
 * libgomp reads this when it is loaded, before main, so the program has to
 * start over. Its own default, 300000 rounds, is several milliseconds: where
 * other processes, or our own decoding threads, want the CPU, that costs a
 * scheduler's time slice a layer, 50 times the whole run, measured. Never
 * spinning wakes a CPU up a hundred times a run: 4 % of an NFNet-F0 and 10 % of
 * a ViT-B/16 on two threads. This many rounds, 0.1 to 0.5 ms by the CPU, bridge
 * the gaps between steps and cost next to nothing on a busy machine.
 */
static void start_over_with_brief_spinning(char **argv) {
    static const char *const names[] = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "KMP_BLOCKTIME"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (getenv(names[i])) {
            return;
        }
    }
    /* LLVM's OpenMP, in a build with clang, counts milliseconds. */
    if (setenv("GOMP_SPINCOUNT", "10000", 1) == 0 && setenv("KMP_BLOCKTIME", "1", 1) == 0) {
        execv("/proc/self/exe", argv); /* if it cannot be, things are slower, not wrong */
    }
}

/*
 * Numbers are written and read in the C locale everywhere: setlocale is never
 * called. A reader that went away (EPIPE) is nobody to tell; a full disk is.
 */
int main(int argc, char **argv) {
    start_over_with_brief_spinning(argv);
    int code = dispatch(argc, argv);
    bool bad = ferror(stdout) != 0;
    errno = 0;
    bad = fflush(stdout) != 0 || bad;
    if (!bad) {
        return code;
    }
    if (errno != EPIPE) {
        say("fovea: cannot write the results to stdout%s%s", errno ? ": " : "",
            errno ? strerror(errno) : ""); /* why an earlier part was lost is not known */
    }
    /* Whatever else there was, the results are lost. */
    return code == EXIT_DONE || code == EXIT_SOME_FAILED ? EXIT_FAILED : code;
}
