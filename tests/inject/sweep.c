/* See sweep.h. A child tries the points, and its parent looks after it. */
#include "tests/inject/sweep.h"

#include "tests/inject/tiny_model.h"

#include <signal.h>
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
    ENDED,     /* an error, where the call was merely interrupted */
    LEAKED,    /* of ours */
    NO_NEXT,   /* the next call does not work */
    ABORTED,   /* abort, or an exception nobody caught */
    SIGNALLED, /* any other signal */
    EXITED,
    HUNG,
    N_OUTCOMES,
};
static const char *const outcome_names[] = {"error",  "without", "WRONG",   "UNCLEAN",
                                            "ENDED",  "LEAKED",  "NO NEXT", "ABORT",
                                            "SIGNAL", "EXIT",    "HUNG"};

/* What a child tells its parent. */
struct progress {
    long at;     /* the point that is being tried; 0: none yet */
    long points; /* how many there are; 0: not known yet */
    long counts[N_OUTCOMES];
    bool failed_undisturbed;
};

/* Shared by parent and children. */
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
    if (outcome == ERROR && sweep->plan.fault == FAULT_EINTR) {
        outcome = ENDED;
    }
    if (!st || outcome == UNCLEAN) {
        sweep->phase->undo(&work);
    }
    if (outcome <= WITHOUT && points_alive() > 0) {
        return LEAKED;
    }
    return outcome <= WITHOUT && !undisturbed(sweep) ? NO_NEXT : outcome;
}

/*
 * How a process that has done nothing yet takes it; with 0, only how many points there are. What
 * such a process keeps for good is no leak.
 */
static void try_cold(const struct sweep *sweep, long at) {
    struct fovea_error err = {0};
    enum fovea_status st = disturbed(sweep, at, &err);
    long points = progress->points;
    enum outcome outcome = st ? ERROR : WITHOUT;
    if (st ? !sweep->phase->clean(&work) : !sweep->phase->right(&work)) {
        outcome = st ? UNCLEAN : WRONG;
    }
    if (!st) {
        sweep->phase->undo(&work);
    }
    if (outcome <= WITHOUT && !undisturbed(sweep)) {
        outcome = NO_NEXT;
    }
    if (at > 0) {
        tell(sweep, outcome, &err);
    }
    progress->points = points;
}

static void try_warm(const struct sweep *sweep, long from) {
    struct fovea_error err = {0};
    if (!undisturbed(sweep) || !undisturbed(sweep)) {
        progress->failed_undisturbed = true;
        _exit(1);
    }
    disturbed(sweep, 0, &err); /* counts */
    sweep->phase->undo(&work);
    long points = progress->points;
    if (sweep->last > 0 && from <= points - sweep->last) {
        from = points - sweep->last + 1;
    }
    for (long at = from; at <= points; at += sweep->stride) {
        progress->at = at;
        alarm(60);
        memset(&err, 0, sizeof(err));
        tell(sweep, try_point(sweep, at, &err), &err);
        progress->points = points;
    }
}

#ifdef FOVEA_COVERAGE
void __gcov_dump(void);
#endif

/* End without what the parent does at its end; what was executed counts (tests/ci/coverage). */
static void leave(int code) {
#ifdef FOVEA_COVERAGE
    __gcov_dump();
#endif
    _exit(code);
}

/* Whoever calls exit in a child, as libgomp does. */
static void leave_at_once(void) {
    leave(1);
}

static void child(const struct sweep *sweep, long from) {
    struct fovea_error err = {0};
    alarm(60);
    atexit(leave_at_once);
    if (phase_work_begin(&work, &err) || sweep->phase->prepare(&work, &err)) {
        fprintf(stderr, "%s: cannot begin: %s\n", sweep->phase->name, err.message);
        progress->failed_undisturbed = true;
        leave(1);
    }
    if (sweep->cold) {
        progress->at = from;
        try_cold(sweep, from);
        leave(0);
    }
    try_warm(sweep, from);
    sweep->phase->finish(&work);
    phase_work_end(&work);
    leave(0);
}

/* ---- the parent ------------------------------------------------------------------ */

static enum outcome outcome_of(int status) {
    if (WIFEXITED(status)) {
        return EXITED;
    }
    int number = WTERMSIG(status);
    return number == SIGABRT ? ABORTED : number == SIGALRM ? HUNG : SIGNALLED;
}

/* Run a child from a point on; what came of it. */
static int run_child(const struct sweep *sweep, long from) {
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
    if (status != 0 && progress->at > 0) {
        enum outcome outcome = outcome_of(status);
        progress->counts[outcome]++;
        if (verbose || sweep->plan.owner == POINT_OURS) {
            fprintf(stderr, "%s, %s %ld: %s\n", sweep->phase->name, sweep->what, progress->at,
                    outcome_names[outcome]);
        }
    }
    return status;
}

static void sweep_cold(const struct sweep *sweep) {
    run_child(sweep, 0);
    long points = progress->points;
    for (long at = 1; at <= points && !progress->failed_undisturbed; at += sweep->stride) {
        run_child(sweep, at);
    }
    progress->points = points;
}

static void sweep_warm(const struct sweep *sweep) {
    long from = 1;
    int status = run_child(sweep, from);
    while (status != 0 && progress->at > 0) {
        from = progress->at + sweep->stride;
        status = run_child(sweep, from);
    }
    /* It ended before any point. */
    progress->failed_undisturbed = progress->failed_undisturbed || status != 0;
}

bool sweep_points(const struct sweep *sweep) {
    long tried = 0;
    memset(progress, 0, sizeof(*progress));
    if (sweep->cold) {
        sweep_cold(sweep);
    } else {
        sweep_warm(sweep);
    }
    bool ok = !progress->failed_undisturbed;
    printf("%-14s %-18s %7ld points:", sweep->phase->name, sweep->what, progress->points);
    for (int i = 0; i < N_OUTCOMES; i++) {
        if (progress->counts[i] > 0) {
            printf(" %ld %s", progress->counts[i], outcome_names[i]);
        }
        tried += progress->counts[i];
        ok = ok && (i <= WITHOUT || progress->counts[i] == 0);
    }
    ok = ok && (progress->points == 0 || tried > 0);
    printf("%s\n", ok ? "" : "  <--");
    return ok;
}

/* ---- before anything ------------------------------------------------------------ */

bool sweep_begin(const struct phase_work *given, bool talkative) {
    struct shared {
        struct progress progress;
        struct phase_wanted wanted;
    } *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        return false;
    }
    progress = &shared->progress;
    work = *given;
    work.wanted = &shared->wanted;
    verbose = talkative;
    return true;
}

/* The model, if none was given, and its compiled file: in a child, for nothing may run here. */
bool sweep_make_files(bool given) {
    pid_t pid = fork();
    if (pid == 0) {
        _exit((given || tiny_model_write(work.model_path)) && phase_work_measure(&work) ? 0 : 1);
    }
    int status = 1;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}
