#include "histogram.h"

#include <math.h>

uint64_t histogram_quantile(const struct histogram *histogram, double share) {
    uint64_t wanted = (uint64_t)ceil(share * (double)histogram->count), seen = 0;
    for (unsigned index = 0; index < histogram_buckets && histogram->count > 0; index++) {
        seen += histogram->buckets[index];
        if (seen < wanted || seen == 0) continue;
        unsigned shift = index >> histogram_fine == 0 ? 0 : (index >> histogram_fine) - 1;
        uint64_t highest = (((uint64_t)index - ((uint64_t)shift << histogram_fine) + 1) << shift) - 1;
        return highest < histogram->max ? highest : histogram->max;
    }
    return histogram->max;
}
