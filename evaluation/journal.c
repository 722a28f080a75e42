/* See journal.h. */
#include "evaluation/journal.h"

#include "evaluation/journal_line.h"
#include "loaders/file.h"
#include "runtime/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Lines wait in `waiting`, under the lock; the thread takes them to `writing`, its own. */
struct eval_journal {
    char *path;
    int fd;
    bool locked;
    double opened; /* by fovea_clock_seconds */
    struct eval_journal_run run;
    off_t end; /* of the lines that are written whole */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t news;
    struct eval_text waiting, writing;
    bool closing;
    enum fovea_status status; /* of the thread; once set, it writes no more */
    struct fovea_error err;
};

/* ---- writing ---------------------------------------------------------------------- */

static enum fovea_status fail_os(const struct eval_journal *j, const char *what,
                                 struct fovea_error *err) {
    int code = errno;
    const char *advice = code == ENOSPC || code == EDQUOT ? "; make room" : "";
    return fovea_fail(err, FOVEA_ERR_IO,
                      "%s: cannot be %s: %s%s; what is in it stays: go on with --resume",
                      fovea_quote(j->path).text, what, strerror(code), advice);
}

/* All of it, or nothing: a part of a line that was written is cut off again. */
static enum fovea_status write_all(struct eval_journal *j, const char *bytes, size_t size,
                                   struct fovea_error *err) {
    size_t done = 0;
    while (done < size) {
        ssize_t n = pwrite(j->fd, bytes + done, size - done, j->end + (off_t)done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            enum fovea_status status = fail_os(j, "written", err);
            (void)!ftruncate(j->fd, j->end); /* if not: a torn line is cut off by whoever resumes */
            return status;
        }
        done += (size_t)n;
    }
    j->end += (off_t)size;
    return FOVEA_OK;
}

/* Tried again only if interrupted: else the kernel may have dropped what it could not write. */
static enum fovea_status sync_file(const struct eval_journal *j, struct fovea_error *err) {
    while (fdatasync(j->fd) != 0) {
        if (errno != EINTR) {
            return fail_os(j, "brought to the disk", err);
        }
    }
    return FOVEA_OK;
}

/* ---- the thread -------------------------------------------------------------------- */

static struct timespec at_time(double seconds) {
    struct timespec t = {.tv_sec = (time_t)seconds};
    t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
    return t;
}

/* Wait for lines, until `deadline` if it is not 0; true once the journal is to be closed. */
static bool wait_for_lines(struct eval_journal *j, double deadline) {
    struct timespec until = at_time(deadline);
    int late = 0;
    pthread_mutex_lock(&j->lock);
    while (!j->closing && j->waiting.size == 0 && !late) {
        late = deadline > 0 ? pthread_cond_timedwait(&j->news, &j->lock, &until)
                            : pthread_cond_wait(&j->news, &j->lock);
    }
    struct eval_text text = j->writing;
    j->writing = j->waiting;
    j->waiting = text;
    bool closing = j->closing;
    pthread_mutex_unlock(&j->lock);
    return closing;
}

static void note_failure(struct eval_journal *j, enum fovea_status status,
                         const struct fovea_error *err) {
    pthread_mutex_lock(&j->lock);
    j->status = status;
    j->err = *err;
    pthread_mutex_unlock(&j->lock);
}

/* How long this run has taken and how far it is, for whoever adds runs up. */
static void add_run(struct eval_journal *j) {
    pthread_mutex_lock(&j->lock);
    struct eval_journal_run run = j->run;
    pthread_mutex_unlock(&j->lock);
    run.seconds = fovea_clock_seconds() - j->opened;
    eval_line_add_run(&j->writing, &run);
}

static void *write_lines(void *context) {
    static const double sync_every = 1;
    struct eval_journal *j = context;
    struct fovea_error err = {.message = ""};
    enum fovea_status status = FOVEA_OK;
    double synced = fovea_clock_seconds();
    bool dirty = false, closing = false;
    while (!status && !closing) {
        closing = wait_for_lines(j, dirty ? synced + sync_every : 0);
        dirty = dirty || j->writing.size > 0;
        bool due = dirty && (closing || fovea_clock_seconds() >= synced + sync_every);
        if (due) {
            add_run(j);
        }
        status = j->writing.failed ? fovea_fail(&err, FOVEA_ERR_MEMORY, "out of memory")
                                   : write_all(j, j->writing.bytes, j->writing.size, &err);
        j->writing.size = 0;
        if (!status && due) {
            status = sync_file(j, &err);
            synced = fovea_clock_seconds();
            dirty = false;
        }
    }
    if (status) {
        note_failure(j, status, &err);
    }
    return NULL;
}

/* ---- opening ----------------------------------------------------------------------- */

static enum fovea_status lock_file(struct eval_journal *j, struct fovea_error *err) {
    if (flock(j->fd, LOCK_EX | LOCK_NB) == 0) {
        j->locked = true;
        return FOVEA_OK;
    }
    if (errno == EWOULDBLOCK) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "%s: another process is writing to it",
                          fovea_quote(j->path).text);
    }
    return FOVEA_OK; /* a file system without locks: the user is told */
}

/* A file that is new is there after a power cut only if its folder is on the disk. */
static void sync_folder(const char *path) {
    char *folder = strdup(path);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash) {
        *slash = 0;
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0) {
            (void)!fsync(fd); /* not every file system can; then there is nothing to be done */
            close(fd);
        }
    }
    free(folder);
}

static enum fovea_status begin(struct eval_journal *j, const struct eval_description *description,
                               struct fovea_error *err) {
    struct eval_text text = {0};
    eval_line_add_header(&text, description);
    enum fovea_status status = text.failed ? fovea_fail(err, FOVEA_ERR_MEMORY, "out of memory")
                                           : write_all(j, text.bytes, text.size, err);
    eval_text_finish(&text);
    if (!status) {
        status = sync_file(j, err);
        sync_folder(j->path);
    }
    return status;
}

/* What the file has so far; `collection` gets its records. */
static enum fovea_status read_back(struct eval_journal *j, struct eval_collection *collection,
                                   struct eval_journal_state *state, struct fovea_error *err) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum fovea_status status = fovea_file_read(j->path, SIZE_MAX / 2, &bytes, &size, NULL, err);
    if (!status) {
        status = eval_collection_add(collection, (char *)bytes, size, state, err);
    }
    free(bytes);
    if (status) {
        fovea_error_prefix(err, "%s", fovea_quote(j->path).text);
        return status;
    }
    j->end = (off_t)state->end;
    j->run.number = state->n_runs + 1;
    if (state->torn > 0 && ftruncate(j->fd, j->end) != 0) {
        return fail_os(j, "cut off after its last good line", err);
    }
    return FOVEA_OK;
}

static enum fovea_status open_file(struct eval_journal *j, bool resume, struct fovea_error *err) {
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (resume ? 0 : O_EXCL);
    do {
        j->fd = open(j->path, flags, 0666);
    } while (j->fd < 0 && errno == EINTR);
    if (j->fd < 0 && errno == EEXIST) {
        return fovea_fail(
            err, FOVEA_ERR_INVALID,
            "%s is there from another run: go on with it by --resume, or take another folder",
            fovea_quote(j->path).text);
    }
    if (j->fd < 0) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot open '%s': %s", fovea_quote(j->path).text,
                          strerror(errno));
    }
    return lock_file(j, err);
}

static enum fovea_status start(struct eval_journal *j, struct fovea_error *err) {
    int error = pthread_create(&j->thread, NULL, write_lines, j);
    j->started = error == 0;
    return error ? fovea_fail(err, FOVEA_ERR_MEMORY, "cannot start a thread: %s", strerror(error))
                 : FOVEA_OK;
}

static void destroy(struct eval_journal *j) {
    if (j->fd >= 0) {
        close(j->fd);
    }
    pthread_mutex_destroy(&j->lock);
    pthread_cond_destroy(&j->news);
    eval_text_finish(&j->waiting);
    eval_text_finish(&j->writing);
    free(j->path);
    free(j);
}

static struct eval_journal *create(const char *path) {
    struct eval_journal *j = calloc(1, sizeof(*j));
    if (!j) {
        return NULL;
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&j->news, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&j->lock, NULL);
    j->fd = -1;
    j->opened = fovea_clock_seconds();
    j->path = strdup(path);
    return j;
}

enum fovea_status eval_journal_open(const char *path, bool resume,
                                    struct eval_collection *collection,
                                    struct eval_journal_state *state, struct eval_journal **out,
                                    struct fovea_error *err) {
    struct eval_journal_state found = {0};
    struct eval_journal *j = create(path);
    if (!j || !j->path) {
        free(j);
        return fovea_fail_memory(err, sizeof(*j), "a journal");
    }
    enum fovea_status status = open_file(j, resume, err);
    if (!status) {
        status = read_back(j, collection, &found, err);
    }
    if (!status && !found.headed) {
        status = begin(j, &collection->description, err);
    }
    if (!status) {
        status = start(j, err);
    }
    if (status) {
        destroy(j);
        return status;
    }
    if (state) {
        *state = found;
    }
    *out = j;
    return FOVEA_OK;
}

/* ---- its life ---------------------------------------------------------------------- */

enum fovea_status eval_journal_append(struct eval_journal *j, size_t index,
                                      const struct eval_record *record, struct fovea_error *err) {
    pthread_mutex_lock(&j->lock);
    enum fovea_status status = j->status;
    if (status && err) {
        *err = j->err;
    }
    if (!status) {
        eval_line_add_record(&j->waiting, index, record);
        j->run.images++;
        pthread_cond_signal(&j->news);
    }
    pthread_mutex_unlock(&j->lock);
    return status;
}

enum fovea_status eval_journal_close(struct eval_journal *j, struct fovea_error *err) {
    pthread_mutex_lock(&j->lock);
    j->closing = true;
    pthread_cond_signal(&j->news);
    pthread_mutex_unlock(&j->lock);
    pthread_join(j->thread, NULL);
    enum fovea_status status = j->status;
    if (status && err) {
        *err = j->err;
    }
    destroy(j);
    return status;
}

bool eval_journal_is_locked(const struct eval_journal *journal) {
    return journal->locked;
}
