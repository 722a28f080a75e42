/*
 * The command line: one table, from which --help is printed, too.
 */
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, COUNT, BYTES, SECONDS, MILLISECONDS };

struct option {
    const char *name, *value;
    enum kind kind;
    size_t offset;
    double least, most;
    const char *help;
};

#define FIELD(name) offsetof(struct service_options, name)

static const struct option table[] = {
    {"--name", "NAME", TEXT, FIELD(name), 0, 0, "the model's name in URLs (its file's name)"},
    {"--labels", "FILE", TEXT, FIELD(labels), 0, 0,
     "names of classes, one a line or JSON (the model's)"},
    {"--recipe", "RECIPE", TEXT, FIELD(recipe), 0, 0,
     "a preset or JSON: how images are prepared (the model's)"},
    {"--precision", "P", TEXT, FIELD(precision), 0, 0, "f32, bf16 or auto (f32)"},
    {"--size", "N", COUNT, FIELD(size), 0, 65535,
     "side of the input, where the model leaves it open"},
    {"--threads", "N", COUNT, FIELD(threads), 0, 4096, "threads that run the model (all allowed)"},
    {"--streams", "N", COUNT, FIELD(streams), 0, 256,
     "runs at once, each on its share of the threads; 0: as suits their number (0)"},
    {"--decoders", "N", COUNT, FIELD(decoders), 1, 256,
     "threads that parse requests and decode images (2)"},
    {"--host", "ADDRESS", TEXT, FIELD(host), 0, 0, "numeric address to listen at (127.0.0.1)"},
    {"--port", "N", COUNT, FIELD(port), 0, 65535, "0: any free one, which is printed (8000)"},
    {"--max-batch", "N", COUNT, FIELD(max_batch), 1, 1024, "most images run at once (8)"},
    {"--batch-delay", "MS", MILLISECONDS, FIELD(batch_delay), 0, 10000,
     "longest wait for others to run with (5)"},
    {"--queue", "N", COUNT, FIELD(queue), 1, 1000000,
     "most requests in work or waiting; more get 503 (1024)"},
    {"--queue-seconds", "S", SECONDS, FIELD(queue_seconds), 0.01, 86400,
     "longest wait of a request; then 503 (30)"},
    {"--connections", "N", COUNT, FIELD(connections), 1, 1000000, "most at once (4096)"},
    {"--per-ip", "N", COUNT, FIELD(per_ip), 0, 1000000, "of these from one address; 0: all (0)"},
    {"--max-body", "BYTES", BYTES, FIELD(max_body), 1, 1099511627776.,
     "of one request; more get 413 (64M)"},
    {"--max-bodies", "BYTES", BYTES, FIELD(max_bodies), 1, 1099511627776.,
     "of all requests together; more get 503 (512M)"},
    {"--header-seconds", "S", SECONDS, FIELD(header_seconds), 0.01, 86400,
     "for a request's header (10)"},
    {"--idle-seconds", "S", SECONDS, FIELD(idle_seconds), 0.01, 86400,
     "between requests of a connection (60)"},
    {"--stall-seconds", "S", SECONDS, FIELD(stall_seconds), 0.01, 86400,
     "before --min-rate counts (10)"},
    {"--min-rate", "BYTES", BYTES, FIELD(min_rate), 1, 1e12,
     "a second, of a request's body, by the client (4K)"},
    {"--write-seconds", "S", SECONDS, FIELD(write_seconds), 0.01, 86400,
     "for a reply, and as long as --min-rate allows (30)"},
    {"--drain-seconds", "S", SECONDS, FIELD(drain_seconds), 0.01, 86400,
     "from SIGTERM to the end at the latest (30)"},
};

static const size_t table_size = sizeof(table) / sizeof(table[0]);

static void print_help(void) {
    fputs("usage: fovea-service MODEL [OPTION...]\n\n"
          "Serves an image classifier over HTTP: POST /classify takes a JPEG, /v2 speaks the\n"
          "Open Inference Protocol, / is a page to try it, /metrics is for Prometheus.\n\n",
          stdout);
    for (size_t i = 0; i < table_size; i++) {
        char left[32];
        snprintf(left, sizeof(left), "%s %s", table[i].name, table[i].value);
        printf("  %-22s %s\n", left, table[i].help);
    }
    fputs("  --help                 this text\n\n"
          "BYTES may end in K, M or G. What is in parentheses is the default.\n"
          "SIGTERM and SIGINT: finish what was accepted, then end; a second one: end now.\n"
          "SIGHUP: load the model again; if that fails, the old one stays.\n"
          "Exit: 0 drained, 1 it could not start or not finish in time, 2 usage.\n",
          stdout);
}

static double suffix_of(const char *end) {
    switch (*end) {
    case 'K':
        return 1024;
    case 'M':
        return 1024 * 1024;
    case 'G':
        return 1024 * 1024 * 1024;
    default:
        return 0;
    }
}

static bool parse_number(const struct option *option, const char *text, double *out) {
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || errno) {
        return false;
    }
    if (option->kind == BYTES && *end) {
        value *= suffix_of(end);
        end++;
    }
    bool whole = option->kind == COUNT || option->kind == BYTES;
    if (*end || !(value >= option->least && value <= option->most) ||
        (whole && value != floor(value))) {
        return false;
    }
    *out = value;
    return true;
}

static bool set(struct service_options *options, const struct option *option, const char *text) {
    char *field = (char *)options + option->offset;
    double value = 0;
    if (option->kind == TEXT) {
        *(const char **)(void *)field = text;
        return true;
    }
    if (!parse_number(option, text, &value)) {
        return false;
    }
    switch (option->kind) {
    case COUNT:
        *(int *)(void *)field = (int)value;
        break;
    case BYTES:
        *(size_t *)(void *)field = (size_t)value;
        break;
    case SECONDS:
        *(double *)(void *)field = value;
        break;
    default:
        *(double *)(void *)field = value / 1000;
        break;
    }
    return true;
}

static const struct option *find(const char *name) {
    for (size_t i = 0; i < table_size; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static enum options_result wrong(const char *what, const char *which) {
    fprintf(stderr, "fovea-service: %s: %s (see --help)\n", what, which);
    return OPTIONS_WRONG;
}

enum options_result options_parse(struct service_options *options, int argc, char **argv) {
    *options = (struct service_options){
        .host = "127.0.0.1",
        .port = 8000,
        .max_batch = 8,
        .decoders = 2,
        .batch_delay = 0.005,
        .queue = 1024,
        .queue_seconds = 30,
        .connections = 4096,
        .max_body = (size_t)64 << 20,
        .max_bodies = (size_t)512 << 20,
        .header_seconds = 10,
        .idle_seconds = 60,
        .stall_seconds = 10,
        .min_rate = 4096,
        .write_seconds = 30,
        .drain_seconds = 30,
    };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help();
            return OPTIONS_HELP;
        }
        if (argv[i][0] != '-') {
            if (options->model) {
                return wrong("one model only", argv[i]);
            }
            options->model = argv[i];
            continue;
        }
        const struct option *option = find(argv[i]);
        if (!option) {
            return wrong("unknown option", argv[i]);
        }
        if (i + 1 == argc) {
            return wrong("a value is missing after", argv[i]);
        }
        if (!set(options, option, argv[++i])) {
            return wrong("a wrong value", argv[i]);
        }
    }
    return options->model ? OPTIONS_RUN : wrong("what is missing", "MODEL");
}
