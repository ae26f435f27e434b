// Counts of durations in nanoseconds, in buckets that are 1/128 of their value wide, like HdrHistogram's.
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

enum { histogram_fine = 7, histogram_buckets = (41 - histogram_fine) << histogram_fine };

struct histogram {
    uint64_t count, max;
    uint64_t buckets[histogram_buckets];
};

// 2^40 ns are 18 minutes: nothing here takes that long, and what does is counted as that.
static inline void histogram_add(struct histogram *histogram, uint64_t value) {
    if (value >= 1ULL << 40) value = (1ULL << 40) - 1;
    unsigned shift = value >> histogram_fine == 0 ? 0 : 64 - histogram_fine - 1 - (unsigned)__builtin_clzll(value);
    histogram->buckets[((uint64_t)shift << histogram_fine) + (value >> shift)] += 1;
    histogram->count += 1;
    if (value > histogram->max) histogram->max = value;
}

// The value that this share of all values does not exceed, in nanoseconds; 0 if there are none.
uint64_t histogram_quantile(const struct histogram *histogram, double share);

#endif
