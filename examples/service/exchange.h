/*
 * One request and its answer, as libmicrohttpd's callbacks see it.
 */
#ifndef SERVICE_EXCHANGE_H
#define SERVICE_EXCHANGE_H

#include "server.h"

#include <microhttpd.h>

struct exchange;

/* Callbacks of MHD_start_daemon; `context` is the struct server. */
void *exchange_on_target(void *context, const char *target, struct MHD_Connection *connection);
enum MHD_Result exchange_on_request(void *context, struct MHD_Connection *connection,
                                    const char *url, const char *method, const char *version,
                                    const char *data, size_t *size, void **state);
void exchange_on_completed(void *context, struct MHD_Connection *connection, void **state,
                           enum MHD_RequestTerminationCode code);
void exchange_on_connection(void *context, struct MHD_Connection *connection, void **state,
                            enum MHD_ConnectionNotificationCode code);

/* The job of this exchange is back. */
void exchange_done(struct exchange *exchange);

/* The client of this exchange, whose request is in work, went away. */
void exchange_gone(struct exchange *exchange);

/* The same for every request in work: there is no time to finish it. */
void exchange_cancel_all(struct server *server);

#endif
