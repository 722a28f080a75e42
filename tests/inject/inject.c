/*
 * inject [OPTION...]: fail the first, the second, ... call that may fail, in every phase of a
 * model's life, and see that each time
 *
 *     the phase returns an error, or does without what failed and is right all the same (the
 *     latter wherever a call was merely interrupted);
 *     out parameters are untouched, and no file is half there, after an error;
 *     nothing of ours leaks: memory, mappings, descriptors;
 *     the same call, undisturbed, is right the next time.
 *
 * A child does the work, from one point to the next; one that dies is counted and replaced by
 * another that goes on behind that point. Options:
 *
 *     --model PATH       instead of a network of a few layers that is made up
 *     --jpeg PATH        to be classified
 *     --owner OWNER      whose calls fail: ours (default), dnnl or gomp
 *     --phase NAME       only this one
 *     --stride N         every N-th point only
 *     --threads N        of a session (default 2)
 *     --for-ever         not only the n-th call fails, all after it do, too
 *     --bf16             sessions of that precision
 *     --cold             each point in a process of its own, in which nothing was done before
 *     --tolerate         exit 0 whatever was found: for other people's code
 */
#include "tests/inject/sweep.h"
#include "tests/temp_dir.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct settings {
    struct phase_work work;
    bool verbose;
    const char *phase;
    enum point_owner owner;
    long stride;
    bool for_ever, cold, tolerate;
};

static bool sweep_phase(const struct phase *phase, const struct settings *settings) {
    static const struct {
        const char *what;
        unsigned kinds;
        enum point_fault fault;
    } sorts[] = {
        {"memory", POINT_ALLOC, FAULT_HARD},       {"threads and locks", POINT_THREAD, FAULT_HARD},
        {"files", POINT_FILE, FAULT_HARD},         {"files, interrupted", POINT_FILE, FAULT_EINTR},
        {"files, short", POINT_FILE, FAULT_SHORT},
    };
    bool ok = true;
    for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
        struct sweep sweep = {
            .phase = phase,
            .what = sorts[i].what,
            .plan = {.owner = settings->owner, .kinds = sorts[i].kinds, .fault = sorts[i].fault},
            .stride = sorts[i].kinds == POINT_ALLOC ? settings->stride : 1,
            .cold = settings->cold,
        };
        if (settings->owner != POINT_OURS && sorts[i].kinds == POINT_FILE) {
            continue;
        }
        /* For ever interrupted, or short, is not how files fail. */
        sweep.plan.for_ever = settings->for_ever && sorts[i].fault == FAULT_HARD;
        ok = sweep_points(&sweep) && ok;
    }
    return ok;
}

static bool sweep_all(const struct settings *settings) {
    int passed = 0, failed = 0;
    for (int i = 0; i < n_phases; i++) {
        if (settings->phase && strcmp(settings->phase, phases[i].name) != 0) {
            continue;
        }
        if (phases[i].applies(&settings->work)) {
            *(sweep_phase(&phases[i], settings) ? &passed : &failed) += 1;
        }
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 && passed > 0;
}

/* ---- options ------------------------------------------------------------------------ */

static enum point_owner owner_named(const char *name) {
    return strcmp(name, "dnnl") == 0   ? POINT_DNNL
           : strcmp(name, "gomp") == 0 ? POINT_GOMP
                                       : POINT_OURS;
}

static bool parse(int argc, char **argv, struct settings *settings) {
    static const struct option options[] = {
        {"model", required_argument, NULL, 'm'},  {"jpeg", required_argument, NULL, 'j'},
        {"owner", required_argument, NULL, 'o'},  {"phase", required_argument, NULL, 'p'},
        {"stride", required_argument, NULL, 's'}, {"threads", required_argument, NULL, 't'},
        {"for-ever", no_argument, NULL, 'e'},     {"bf16", no_argument, NULL, 'b'},
        {"cold", no_argument, NULL, 'c'},         {"tolerate", no_argument, NULL, 'l'},
        {"verbose", no_argument, NULL, 'v'},      {NULL, 0, NULL, 0},
    };
    *settings = (struct settings){.owner = POINT_OURS, .stride = 1, .work.threads = 2};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'm':
            settings->work.model_path = optarg;
            break;
        case 'j':
            settings->work.jpeg_path = optarg;
            break;
        case 'o':
            settings->owner = owner_named(optarg);
            break;
        case 'p':
            settings->phase = optarg;
            break;
        case 's':
            settings->stride = atol(optarg) > 0 ? atol(optarg) : 1;
            break;
        case 't':
            settings->work.threads = atoi(optarg);
            break;
        case 'e':
            settings->for_ever = true;
            break;
        case 'c':
            settings->cold = true;
            break;
        case 'b':
            settings->work.precision = FOVEA_PRECISION_BF16;
            break;
        case 'l':
            settings->tolerate = true;
            break;
        case 'v':
            settings->verbose = true;
            break;
        default:
            return false;
        }
    }
    return optind == argc;
}

int main(int argc, char **argv) {
    struct settings settings;
    if (!parse(argc, argv, &settings)) {
        fprintf(stderr, "usage: see inject.c\n");
        return 2;
    }
    struct phase_work *work = &settings.work;
    bool given = work->model_path != NULL;
    work->folder = temp_dir();
    work->compiled = strdup(temp_path("compiled"));
    work->model_path = given ? work->model_path : strdup(temp_path("tiny.onnx"));
    work->files_beside = !given;
    if (!sweep_begin(work, settings.verbose) || !sweep_make_files(given)) {
        fprintf(stderr, "inject: cannot make what to work on\n");
        return 1;
    }
    return sweep_all(&settings) || settings.tolerate ? 0 : 1;
}
