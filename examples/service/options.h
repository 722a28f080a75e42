/*
 * What the command line says.
 */
#ifndef SERVICE_OPTIONS_H
#define SERVICE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct service_options {
    const char *model;                       /* path */
    const char *name;                        /* of the model, in URLs */
    const char *labels, *recipe, *precision; /* or NULL */
    const char *host;
    int port;
    int threads, streams, size, max_batch, decoders;
    double batch_delay; /* seconds */
    int queue;          /* most requests accepted and not answered */
    int connections, per_ip;
    size_t max_body, max_bodies; /* bytes: of one, of all together */
    double header_seconds, idle_seconds, write_seconds, queue_seconds, drain_seconds;
    double stall_seconds; /* what a body or a reply may take before its rate counts */
    size_t min_rate;      /* bytes a second */
};

enum options_result { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_WRONG };

/* Messages go to stderr, help to stdout. Strings are lent from argv. */
enum options_result options_parse(struct service_options *options, int argc, char **argv);

#endif
