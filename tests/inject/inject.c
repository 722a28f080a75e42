/*
 * inject [OPTION...]: fail the first, the second, ... call that may fail, in every phase of a
 * model's life, and see that each time
 *
 *     the phase returns an error, or does without what failed and is right all the same;
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
 *     --tolerate         exit 0 whatever was found: for other people's code
 */
#include "tests/inject/phases.h"
#include "tests/inject/points.h"
#include "tests/inject/tiny_model.h"
#include "tests/temp_dir.h"

#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum outcome {
    ERROR,     /* as it should be */
    WITHOUT,   /* it was done without, or again: the result is right */
    WRONG,     /* success, and a wrong result */
    UNCLEAN,   /* an error, but something was left behind or touched */
    LEAKED,    /* of ours */
    NO_NEXT,   /* the next call does not work */
    ABORTED,   /* abort, or an exception nobody caught */
    SIGNALLED, /* any other signal */
    EXITED,
    HUNG,
    N_OUTCOMES,
};
static const char *const outcome_names[] = {"error",   "without", "WRONG",  "UNCLEAN", "LEAKED",
                                            "NO NEXT", "ABORT",   "SIGNAL", "EXIT",    "HUNG"};

/* Which calls fail, of one phase. */
struct sweep {
    const struct phase *phase;
    const char *what;
    struct point_plan plan;
    long stride;
};

/* What a child tells its parent. */
struct progress {
    long at;     /* the point that is being tried */
    long points; /* how many there are; 0: not known yet */
    long counts[N_OUTCOMES];
    bool failed_undisturbed;
};

static struct progress *progress;
static struct phase_work work;
static bool verbose;

/* ---- the child: one point after the other ------------------------------------- */

static enum fovea_status disturbed(const struct sweep *sweep, long at, struct fovea_error *err) {
    struct point_plan plan = sweep->plan;
    plan.at = at;
    points_arm(&plan);
    enum fovea_status st = sweep->phase->call(&work, err);
    progress->points = points_disarm();
    return st;
}

/* The call as it should be, and everything of it gone. */
static bool undisturbed(const struct sweep *sweep) {
    struct fovea_error err = {0};
    if (sweep->phase->call(&work, &err)) {
        fprintf(stderr, "%s, undisturbed: %s\n", sweep->phase->name, err.message);
        return false;
    }
    bool right = sweep->phase->right(&work);
    sweep->phase->undo(&work);
    return right;
}

static void tell(const struct sweep *sweep, enum outcome outcome, const struct fovea_error *err) {
    progress->counts[outcome]++;
    if (outcome > WITHOUT || verbose) {
        fprintf(stderr, "%s, %s %ld: %s: %s\n", sweep->phase->name, sweep->what, progress->at,
                outcome_names[outcome], err->message);
        points_print();
        if (outcome == LEAKED) {
            points_print_alive();
        }
    }
}

static enum outcome try_point(const struct sweep *sweep, long at, struct fovea_error *err) {
    points_watch();
    enum fovea_status st = disturbed(sweep, at, err);
    enum outcome outcome = st ? ERROR : WITHOUT;
    if (!st && !sweep->phase->right(&work)) {
        outcome = WRONG;
    }
    if (st && (err->status != st || !err->message[0] || !sweep->phase->clean(&work))) {
        outcome = UNCLEAN;
    }
    if (!st || outcome == UNCLEAN) {
        sweep->phase->undo(&work);
    }
    if (outcome <= WITHOUT && points_alive() > 0) {
        return LEAKED;
    }
    return outcome <= WITHOUT && !undisturbed(sweep) ? NO_NEXT : outcome;
}

static void child(const struct sweep *sweep, long from) {
    struct fovea_error err = {0};
    if (phase_work_begin(&work, &err) || sweep->phase->prepare(&work, &err) ||
        !undisturbed(sweep) || !undisturbed(sweep)) {
        fprintf(stderr, "%s: fails undisturbed: %s\n", sweep->phase->name, err.message);
        progress->failed_undisturbed = true;
        _exit(1);
    }
    disturbed(sweep, 0, &err); /* counts */
    sweep->phase->undo(&work);
    long points = progress->points;
    for (long at = from; at <= points; at += sweep->stride) {
        progress->at = at;
        alarm(60);
        memset(&err, 0, sizeof(err));
        tell(sweep, try_point(sweep, at, &err), &err);
        progress->points = points;
    }
    sweep->phase->finish(&work);
    phase_work_end(&work);
    _exit(0);
}

/* ---- the parent ------------------------------------------------------------------ */

static enum outcome outcome_of(int status) {
    if (WIFEXITED(status)) {
        return EXITED;
    }
    int number = WTERMSIG(status);
    return number == SIGABRT ? ABORTED : number == SIGALRM ? HUNG : SIGNALLED;
}

/* Whether all went as it should. */
static bool sweep_points(const struct sweep *sweep) {
    long from = 1;
    memset(progress, 0, sizeof(*progress));
    for (;;) {
        int status;
        progress->at = 0;
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            child(sweep, from);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid) {
            perror("inject");
            exit(1);
        }
        if ((WIFEXITED(status) && WEXITSTATUS(status) == 0) || progress->failed_undisturbed ||
            progress->at == 0) {
            break;
        }
        enum outcome outcome = outcome_of(status);
        progress->counts[outcome]++;
        if (verbose || sweep->plan.owner == POINT_OURS) {
            fprintf(stderr, "%s, %s %ld: %s\n", sweep->phase->name, sweep->what, progress->at,
                    outcome_names[outcome]);
        }
        from = progress->at + sweep->stride;
    }
    bool ok = !progress->failed_undisturbed && (progress->points == 0 || progress->at > 0);
    printf("%-14s %-22s %7ld points:", sweep->phase->name, sweep->what, progress->points);
    for (int i = 0; i < N_OUTCOMES; i++) {
        if (progress->counts[i] > 0) {
            printf(" %ld %s", progress->counts[i], outcome_names[i]);
        }
        ok = ok && (i <= WITHOUT || progress->counts[i] == 0);
    }
    printf("%s\n", ok ? "" : "  <--");
    return ok;
}

struct settings {
    const char *phase;
    enum point_owner owner;
    long stride;
    bool for_ever, tolerate;
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
        if (phases[i].applies(&work)) {
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
        {"model", required_argument, NULL, 'm'},
        {"jpeg", required_argument, NULL, 'j'},
        {"owner", required_argument, NULL, 'o'},
        {"phase", required_argument, NULL, 'p'},
        {"stride", required_argument, NULL, 's'},
        {"threads", required_argument, NULL, 't'},
        {"for-ever", no_argument, NULL, 'e'},
        {"bf16", no_argument, NULL, 'b'},
        {"tolerate", no_argument, NULL, 'l'},
        {"verbose", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    *settings = (struct settings){.owner = POINT_OURS, .stride = 1};
    work.threads = 2;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'm':
            work.model_path = optarg;
            break;
        case 'j':
            work.jpeg_path = optarg;
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
            work.threads = atoi(optarg);
            break;
        case 'e':
            settings->for_ever = true;
            break;
        case 'b':
            work.precision = FOVEA_PRECISION_BF16;
            break;
        case 'l':
            settings->tolerate = true;
            break;
        case 'v':
            verbose = true;
            break;
        default:
            return false;
        }
    }
    return optind == argc;
}

/* The model, if none was given, and its compiled file: in a child, for nothing may run here. */
static bool make_files(bool given) {
    pid_t pid = fork();
    if (pid == 0) {
        _exit((given || tiny_model_write(work.model_path)) && phase_work_compile(&work) ? 0 : 1);
    }
    int status = 1;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

int main(int argc, char **argv) {
    struct settings settings;
    if (!parse(argc, argv, &settings)) {
        fprintf(stderr, "usage: see inject.c\n");
        return 2;
    }
    progress =
        mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED) {
        perror("inject");
        return 1;
    }
    work.folder = temp_dir();
    work.compiled = strdup(temp_path("compiled"));
    bool given = work.model_path != NULL;
    work.model_path = given ? work.model_path : strdup(temp_path("tiny.onnx"));
    if (!make_files(given)) {
        fprintf(stderr, "inject: cannot make the files to work on\n");
        return 1;
    }
    return sweep_all(&settings) || settings.tolerate ? 0 : 1;
}
