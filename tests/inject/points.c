/*
 * Points of failure: see points.h. Here are who is asked and what is counted,
 * and the calls for memory and threads; points_files.c has those for files.
 */
/* Functions of 64-bit offsets are defined here beside their namesakes, and nothing is inline. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include "tests/inject/points_parts.h"

#include "tests/inject/alive.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* glibc's own, under names that nobody replaces. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

/* ---- whose code -------------------------------------------------------------- */

enum { MOST_PARTS = 256, MOST_FRAMES = 64 };

static struct part {
    uintptr_t begin, end;
    enum point_owner owner;
} parts[MOST_PARTS];
static int n_parts;

static enum point_owner owner_of_name(const char *path) {
    static const struct {
        const char *name;
        enum point_owner owner;
    } known[] = {
        {"libfovea", POINT_OURS},     {"libprotobuf-c", POINT_OURS}, {"libjpeg", POINT_OURS},
        {"libturbojpeg", POINT_OURS}, {"libjansson", POINT_OURS},    {"libz.", POINT_OURS},
        {"libdnnl", POINT_DNNL},      {"libgomp", POINT_GOMP},       {"libomp", POINT_GOMP},
        {"libc.", POINT_PASS},        {"ld-linux", POINT_PASS},      {"libstdc++", POINT_PASS},
        {"libgcc_s", POINT_PASS},     {"libm.", POINT_PASS},         {"libpoints", POINT_PASS},
    };
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (!name[0]) {
        return POINT_OURS; /* the program */
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strncmp(name, known[i].name, strlen(known[i].name)) == 0) {
            return known[i].owner;
        }
    }
    return POINT_OTHER;
}

static int add_object(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    (void)context;
    for (int i = 0; i < info->dlpi_phnum && n_parts < MOST_PARTS; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_LOAD && header->p_flags & PF_X) {
            uintptr_t begin = info->dlpi_addr + header->p_vaddr;
            parts[n_parts++] =
                (struct part){begin, begin + header->p_memsz, owner_of_name(info->dlpi_name)};
        }
    }
    return 0;
}

static enum point_owner owner_at(const void *address) {
    for (int i = 0; i < n_parts; i++) {
        if ((uintptr_t)address - parts[i].begin < parts[i].end - parts[i].begin) {
            return parts[i].owner;
        }
    }
    return POINT_OTHER;
}

/* Whose call of a function of ours is under way, if it calls others; else POINT_PASS. */
static _Thread_local enum point_owner behalf __attribute__((tls_model("initial-exec"))) =
    POINT_PASS;

/* Of the call that returns to `caller`. */
static enum point_owner owner_of(const void *caller) {
    enum point_owner owner = owner_at(caller);
    if (owner == POINT_PASS && behalf != POINT_PASS) {
        return behalf;
    }
    if (owner != POINT_PASS) {
        return owner;
    }
    void *stack[MOST_FRAMES];
    int n = backtrace(stack, MOST_FRAMES), i = 0;
    while (i < n && stack[i] != caller) {
        i++;
    }
    while (i < n && owner_at(stack[i]) == POINT_PASS) {
        i++;
    }
    return i < n ? owner_at(stack[i]) : POINT_OTHER;
}

/* ---- what is counted --------------------------------------------------------- */

static struct point_plan plan;
static atomic_bool armed, watching;
static atomic_long calls;
static _Thread_local int inside __attribute__((tls_model("initial-exec")));
static void *failed_stack[MOST_FRAMES];
static int failed_frames;
static bool with_stacks;

__attribute__((constructor)) void points_prepare(void) {
    void *stack[4];
    if (n_parts > 0) {
        return;
    }
    inside++;
    backtrace(stack, 4); /* loads what it needs */
    dl_iterate_phdr(add_object, NULL);
    with_stacks = getenv("INJECT_STACKS") != NULL;
    inside--;
}

void points_arm(const struct point_plan *given) {
    plan = *given;
    failed_frames = 0;
    atomic_store(&calls, 0);
    atomic_store(&armed, true);
}

long points_disarm(void) {
    atomic_store(&armed, false);
    return atomic_load(&calls);
}

void points_print(void) {
    backtrace_symbols_fd(failed_stack, failed_frames, STDERR_FILENO);
}

bool point_fails(enum point_kind kind, const void *caller) {
    if (!atomic_load(&armed) || !(plan.kinds & kind) || inside) {
        return false;
    }
    inside++;
    bool fails = false;
    if (owner_of(caller) == plan.owner) {
        long n = atomic_fetch_add(&calls, 1) + 1;
        fails = plan.at > 0 && (n == plan.at || (plan.for_ever && n > plan.at));
        if (fails && n == plan.at) {
            failed_frames = backtrace(failed_stack, MOST_FRAMES);
        }
    }
    inside--;
    return fails;
}

enum point_fault point_fault(void) {
    return plan.fault;
}

enum point_owner points_enter(const void *caller) {
    enum point_owner former = behalf;
    if (!inside && (atomic_load(&armed) || atomic_load(&watching))) {
        inside++;
        behalf = owner_of(caller);
        inside--;
    }
    return former;
}

void points_leave(enum point_owner former) {
    behalf = former;
}

void points_watch(void) {
    alive_clear();
    atomic_store(&watching, true);
}

long points_alive(void) {
    return alive_count();
}

void points_print_alive(void) {
    alive_print();
}

void point_made(uintptr_t key, size_t bytes, const void *caller) {
    if (!atomic_load(&watching) || inside) {
        return;
    }
    inside++;
    if (owner_of(caller) == POINT_OURS) {
        alive_add(key, bytes, with_stacks);
    }
    inside--;
}

void point_gone(uintptr_t key) {
    if (atomic_load(&watching) && !inside) {
        alive_remove(key);
    }
}

void *point_next(const char *name) {
    inside++;
    void *function = dlsym(RTLD_NEXT, name);
    inside--;
    return function;
}

/* ---- memory ------------------------------------------------------------------ */

static void *made(void *block, size_t size, const void *caller) {
    if (block) {
        point_made((uintptr_t)block, size, caller);
    }
    return block;
}

static bool no_memory(const void *caller) {
    if (point_fails(POINT_ALLOC, caller)) {
        errno = ENOMEM;
        return true;
    }
    return false;
}

void *points_malloc(size_t size, const void *caller) {
    return no_memory(caller) ? NULL : made(__libc_malloc(size), size, caller);
}

void *malloc(size_t size) {
    return points_malloc(size, __builtin_return_address(0));
}

void *calloc(size_t count, size_t size) {
    const void *caller = __builtin_return_address(0);
    return no_memory(caller) ? NULL : made(__libc_calloc(count, size), count * size, caller);
}

void *realloc(void *block, size_t size) {
    const void *caller = __builtin_return_address(0);
    if (no_memory(caller)) {
        return NULL;
    }
    void *moved = __libc_realloc(block, size);
    if (moved || size == 0) {
        point_gone((uintptr_t)block);
    }
    return made(moved, size, caller);
}

void *memalign(size_t alignment, size_t size) {
    const void *caller = __builtin_return_address(0);
    return no_memory(caller) ? NULL : made(__libc_memalign(alignment, size), size, caller);
}

void *aligned_alloc(size_t alignment, size_t size) {
    const void *caller = __builtin_return_address(0);
    return no_memory(caller) ? NULL : made(__libc_memalign(alignment, size), size, caller);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    const void *caller = __builtin_return_address(0);
    void *block = no_memory(caller) ? NULL : made(__libc_memalign(alignment, size), size, caller);
    if (!block) {
        return ENOMEM;
    }
    *out = block;
    return 0;
}

void free(void *block) {
    if (block) {
        point_gone((uintptr_t)block);
    }
    __libc_free(block);
}

static void *map(void *at, size_t size, int protection, int flags, int fd, off64_t offset,
                 const void *caller) {
    static void *(*real)(void *, size_t, int, int, int, off64_t);
    if (!real) {
        *(void **)&real = point_next("mmap64");
    }
    if (no_memory(caller)) {
        return MAP_FAILED;
    }
    void *pages = real(at, size, protection, flags, fd, offset);
    if (pages != MAP_FAILED) {
        point_made((uintptr_t)pages, size, caller);
    }
    return pages;
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
    return map(at, size, protection, flags, fd, offset, __builtin_return_address(0));
}

void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset) {
    return map(at, size, protection, flags, fd, offset, __builtin_return_address(0));
}

int munmap(void *pages, size_t size) {
    static int (*real)(void *, size_t);
    if (!real) {
        *(void **)&real = point_next("munmap");
    }
    point_gone((uintptr_t)pages);
    return real(pages, size);
}

/* ---- threads ----------------------------------------------------------------- */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                   void *context) {
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!real) {
        *(void **)&real = point_next("pthread_create");
    }
    if (point_fails(POINT_THREAD, __builtin_return_address(0))) {
        return EAGAIN;
    }
    enum point_owner former = points_enter(__builtin_return_address(0));
    int error = real(thread, attributes, body, context);
    points_leave(former);
    return error;
}

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes) {
    static int (*real)(pthread_mutex_t *, const pthread_mutexattr_t *);
    if (!real) {
        *(void **)&real = point_next("pthread_mutex_init");
    }
    if (point_fails(POINT_THREAD, __builtin_return_address(0))) {
        return EAGAIN;
    }
    return real(mutex, attributes);
}

int pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes) {
    static int (*real)(pthread_cond_t *, const pthread_condattr_t *);
    if (!real) {
        /* The version that callers built today mean. */
        inside++;
        *(void **)&real = dlvsym(RTLD_NEXT, "pthread_cond_init", "GLIBC_2.3.2");
        inside--;
    }
    if (point_fails(POINT_THREAD, __builtin_return_address(0))) {
        return EAGAIN;
    }
    return real(condition, attributes);
}
