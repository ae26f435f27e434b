// glibc's malloc_trim, which Swift's module of glibc lacks; nothing on systems that give memory back by themselves.
#ifndef CMALLOC_SHIM_H
#define CMALLOC_SHIM_H

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static inline void CMalloc_trim(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

#endif
