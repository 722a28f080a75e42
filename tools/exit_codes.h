/*
 * What the command's exit status says; the one list of it.
 */
#ifndef FOVEA_TOOLS_EXIT_CODES_H
#define FOVEA_TOOLS_EXIT_CODES_H

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,      /* the work could not be done, or a check failed */
    EXIT_USAGE = 2,       /* the command line is wrong */
    EXIT_SOME_FAILED = 3, /* finished, but some inputs failed; they are named on stderr */
    EXIT_SIGNAL = 128,    /* plus the signal's number: stopped, with a partial result */
};

#endif
