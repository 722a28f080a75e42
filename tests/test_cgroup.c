/* How many CPUs and how much memory a process may use: made-up cgroup trees of both versions. */
#include "runtime/cpu_budget.h"

#include "runtime/memory_limit.h"
#include "runtime/parallel.h"
#include "tests/check.h"
#include "tests/temp_dir.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A tree under a folder of its own, so that tests do not see each other's files. */
static char root[512];

static void begin_tree(const char *name) {
    snprintf(root, sizeof(root), "%s", temp_path(name));
    CHECK(mkdir(root, 0700) == 0);
}

/* Write `text` to `path` below the tree, making the folders on the way. */
static void put(const char *path, const char *text) {
    char full[1024];
    int length = snprintf(full, sizeof(full), "%s/%s", root, path);
    CHECK(length > 0 && length < (int)sizeof(full));
    for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')); at++) {
        *at = 0;
        mkdir(full, 0700);
        *at = '/';
    }
    FILE *file = fopen(full, "w");
    CHECK(file && fputs(text, file) >= 0);
    if (file) {
        fclose(file);
    }
}

static int cpus(const char *membership) {
    char path[1024];
    put("membership", membership);
    snprintf(path, sizeof(path), "%s/membership", root);
    return fovea_cgroup_cpus(path, root);
}

static int64_t memory(const char *membership) {
    char path[1024];
    put("membership", membership);
    snprintf(path, sizeof(path), "%s/membership", root);
    return fovea_cgroup_memory(path, root);
}

static void list__ranges_and_numbers__counted(void) {
    CHECK(fovea_cpu_list_count("0") == 1);
    CHECK(fovea_cpu_list_count("0-3,8,10-11") == 7);
    CHECK(fovea_cpu_list_count("5-5") == 1);
}

static void list__malformed__none(void) {
    static const char *const bad[] = {"",     "\n",  "x",    "3-1", "-2",   "1-",
                                      "1,,2", "1;2", "0-3x", "1-x", "-1-2", "0-99999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (fovea_cpu_list_count(bad[i]) != 0) {
            check_failed(__FILE__, __LINE__, "list", bad[i]);
        }
    }
}

static void v2__quota__rounded_up(void) {
    begin_tree("v2");
    put("a/cpu.max", "200000 100000\n");
    CHECK(cpus("0::/a\n") == 2);
    put("a/cpu.max", "150000 100000\n");
    CHECK(cpus("0::/a\n") == 2);
    put("a/cpu.max", "50000 100000\n");
    CHECK(cpus("0::/a\n") == 1);
    put("a/cpu.max", "max 100000\n");
    CHECK(cpus("0::/a\n") == 0);
}

static void v2__nested_groups__the_strictest_counts(void) {
    begin_tree("v2nested");
    put("a/cpu.max", "300000 100000\n");
    put("a/b/cpu.max", "max 100000\n");
    put("a/b/c/cpu.max", "800000 100000\n");
    CHECK(cpus("0::/a/b/c\n") == 3);
    CHECK(cpus("0::/a/b\n") == 3);
    CHECK(cpus("0::/\n") == 0);
    put("cpu.max", "100000 100000\n"); /* of the root, as a container sees it */
    CHECK(cpus("0::/a/b/c\n") == 1);
    CHECK(cpus("0::/\n") == 1);
}

static void v2__path_of_the_host__the_mounted_root_counts(void) {
    begin_tree("v2host");
    put("cpu.max", "400000 100000\n");
    CHECK(cpus("0::/docker/0123456789abcdef\n") == 4);
    CHECK(cpus("0::/../../other\n") == 4);
}

static void v2__cpuset__counts_like_a_quota(void) {
    begin_tree("v2set");
    put("a/cpuset.cpus.effective", "0-1,4\n");
    CHECK(cpus("0::/a\n") == 3);
    put("a/cpu.max", "200000 100000\n");
    CHECK(cpus("0::/a\n") == 2);
    put("a/cpu.max", "800000 100000\n");
    CHECK(cpus("0::/a\n") == 3);
}

static void v1__quota_and_period__by_controller(void) {
    begin_tree("v1");
    put("cpu,cpuacct/a/cpu.cfs_quota_us", "250000\n");
    put("cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
    CHECK(cpus("4:memory:/a\n3:cpu,cpuacct:/a\n0::/\n") == 3);
    put("cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n");
    CHECK(cpus("3:cpu,cpuacct:/a\n") == 0);
    put("cpu/a/cpu.cfs_quota_us", "100000\n"); /* mounted under one name, listed under two */
    put("cpu/a/cpu.cfs_period_us", "100000\n");
    CHECK(cpus("3:cpuacct,cpu:/a\n") == 1);
    CHECK(cpus("3:cpuacct:/a\n") == 0);
}

static void v1__nested_groups_and_cpuset__the_strictest_counts(void) {
    begin_tree("v1nested");
    put("cpu/a/cpu.cfs_quota_us", "350000\n");
    put("cpu/a/cpu.cfs_period_us", "50000\n");
    put("cpu/a/b/cpu.cfs_quota_us", "-1\n");
    put("cpu/a/b/cpu.cfs_period_us", "50000\n");
    CHECK(cpus("2:cpu:/a/b\n") == 7);
    put("cpuset/cpuset.cpus", "0-63\n");
    put("cpuset/a/cpuset.cpus", "0-4\n");
    CHECK(cpus("2:cpu:/a/b\n3:cpuset:/a\n") == 5);
    put("cpuset/a/cpuset.effective_cpus", "0,2\n");
    CHECK(cpus("2:cpu:/a/b\n3:cpuset:/a\n") == 2);
}

static void files__malformed_or_missing__say_nothing(void) {
    begin_tree("bad");
    static const char *const bad[] = {
        "", "max", "\n", "1", "-5 100000", "100000 0", "x y", "100000 -1", "9223372036854775807 1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        put("a/cpu.max", bad[i]);
        if (cpus("0::/a\n") != 0) {
            check_failed(__FILE__, __LINE__, "cpu.max", bad[i]);
        }
    }
    CHECK(cpus("") == 0);
    CHECK(cpus("nonsense\n0:\n:\n::\n") == 0);
    CHECK(fovea_cgroup_cpus("/nowhere/at/all", root) == 0);
}

static void memory_v2__of_groups_around__the_least_that_is_left(void) {
    begin_tree("memory2");
    put("a/b/memory.max", "max\n");
    put("a/b/memory.current", "500\n");
    CHECK(memory("0::/a/b\n") == 0);
    put("a/memory.max", "10000\n"); /* as systemd has it for a service */
    put("a/memory.current", "4000\n");
    CHECK(memory("0::/a/b\n") == 6000);
    put("a/memory.stat", "anon 1000\ninactive_file 2500\nactive_file 500\n");
    CHECK(memory("0::/a/b\n") == 8500);
    put("a/b/memory.max", "600\n");
    CHECK(memory("0::/a/b\n") == 100);
    put("a/b/memory.current", "700\n");
    CHECK(memory("0::/a/b\n") == 1);
    CHECK(memory("0::/\n") == 0);
}

static void memory_v1__by_controller(void) {
    begin_tree("memory1");
    put("memory/a/memory.limit_in_bytes", "9223372036854771712\n");
    put("memory/a/memory.usage_in_bytes", "5000\n");
    CHECK(memory("4:memory:/a\n3:cpu,cpuacct:/a\n") == INT64_C(9223372036854771712) - 5000);
    put("memory/a/memory.limit_in_bytes", "20000\n");
    CHECK(memory("4:memory:/a\n3:cpu,cpuacct:/a\n") == 15000);
    put("memory/a/memory.stat", "inactive_file 1\ntotal_inactive_file 1000\n");
    CHECK(memory("4:memory:/a\n0::/\n") == 16000);
    CHECK(memory("3:cpu:/a\n") == 0);
}

static void budget__narrowed_affinity__followed(void) {
    cpu_set_t all, one;
    CHECK(fovea_cpu_budget() >= 1);
    CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++) {
        if (CPU_ISSET(i, &all)) {
            CPU_SET(i, &one);
        }
    }
    CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
    CHECK(fovea_cpu_budget() == 1);
    CHECK(sched_setaffinity(0, sizeof(all), &all) == 0);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(list__ranges_and_numbers__counted),
        TEST(list__malformed__none),
        TEST(v2__quota__rounded_up),
        TEST(v2__nested_groups__the_strictest_counts),
        TEST(v2__path_of_the_host__the_mounted_root_counts),
        TEST(v2__cpuset__counts_like_a_quota),
        TEST(v1__quota_and_period__by_controller),
        TEST(v1__nested_groups_and_cpuset__the_strictest_counts),
        TEST(files__malformed_or_missing__say_nothing),
        TEST(memory_v2__of_groups_around__the_least_that_is_left),
        TEST(memory_v1__by_controller),
        TEST(budget__narrowed_affinity__followed),
    };
    return RUN_TESTS(tests, argc, argv);
}
