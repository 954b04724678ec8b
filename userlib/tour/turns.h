/* SPDX-License-Identifier: BSD-2-Clause */
/* A parent and its child that take turns. */
#ifndef _BSDVM_TOUR_TURNS_H
#define _BSDVM_TOUR_TURNS_H

#include <sys/types.h>

/**
 * struct turns - two processes of which one waits for the other
 * @child: the child; 0 in the child itself
 * @give: descriptor to write a turn to
 * @take: descriptor to wait for one on
 */
struct turns {
	pid_t child;
	int give;
	int take;
};

/* fork(2); the child must end by turns_exit(). */
struct turns turns_fork(void);

/* Let the other side go on. */
void turns_give(const struct turns *turns);

/* Wait until the other side gives. */
void turns_take(const struct turns *turns);

/* End the child: its status says whether all its checks held. */
void turns_exit(void) __attribute__((noreturn));

/* Wait for the end of the child and check its status. */
void turns_wait(const struct turns *turns);

#endif /* _BSDVM_TOUR_TURNS_H */
