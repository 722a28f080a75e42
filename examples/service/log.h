/*
 * What the service says of itself, a line at a time, to stderr.
 */
#ifndef SERVICE_LOG_H
#define SERVICE_LOG_H

__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

#endif
