/* The phases that make a classifier and classify a JPEG: rows of the table in phases.c. */
#ifndef FOVEA_TESTS_INJECT_PHASES_CLASSIFY_H
#define FOVEA_TESTS_INJECT_PHASES_CLASSIFY_H

#include "tests/inject/phases.h"

bool has_jpeg(const struct phase_work *work);
bool has_files_beside(const struct phase_work *work);

/* Learn what is said when nothing disturbs: leaves a classifier; none; none, with all from files.
 */
enum fovea_status classify_first(struct phase_work *work, struct fovea_error *err);
enum fovea_status classify_once(struct phase_work *work, struct fovea_error *err);
enum fovea_status classify_by_files(struct phase_work *work, struct fovea_error *err);

enum fovea_status create_classifier(struct phase_work *work, struct fovea_error *err);
bool classifier_works(struct phase_work *work);
bool no_classifier(struct phase_work *work);
void destroy_classifier(struct phase_work *work);

enum fovea_status classify(struct phase_work *work, struct fovea_error *err);
bool results_are_wanted(struct phase_work *work);
bool nothing_classified(struct phase_work *work);

#endif
