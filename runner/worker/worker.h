/*
 * The worker process: takes jobs over the seam (descriptor 3), touches hosts,
 * answers. No database, no approval, no private key; opens no connection and
 * no file. It may die at any time.
 */
#ifndef HOSHU_WORKER_WORKER_H
#define HOSHU_WORKER_WORKER_H

/* What of a worker's shutting in this build or this kernel lacks, as text for
 * people; NULL = nothing. */
const char *worker_wall_missing(void);

/* The whole life of a worker on seam descriptor fd; returns its exit status. */
int worker_main(int fd);

#endif
