// What Linux's scheduler can be told of a thread and glibc has no function for before 2.41.
#pragma once

#if defined(__linux__)
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

// Sets how nice this thread is, and for how long, in nanoseconds, it keeps its processor; kernels before 6.12 ignore the latter.
static inline int CScheduler_set_slice(int32_t nice, uint64_t slice) {
    // struct sched_attr of <linux/sched/types.h>, whose first version every kernel knows.
    const struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {.size = 48, .flags = 8 /* SCHED_FLAG_KEEP_POLICY */, .nice = nice, .runtime = slice};
    return (int)syscall(SYS_sched_setattr, 0, &attributes, 0);
}
#endif
