// Preloaded into a program, it counts calls of malloc and its kin: those of the program itself, with Swift's runtime in
// it, and those of libraries, such as OpenSSL. The counts are in the file BENCH_ALLOCATIONS.
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// glibc's own, under the names that may be called while ours are in front of them.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

struct counts {
    _Atomic uint64_t own, others;
};

static struct counts unseen, *counts = &unseen;
static uintptr_t own_first, own_last;

// The program comes first in the list of what is loaded.
static int find_program(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size, (void)context;
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[index];
        if (header->p_type != PT_LOAD || (header->p_flags & PF_X) == 0) continue;
        own_first = info->dlpi_addr + header->p_vaddr;
        own_last = own_first + header->p_memsz;
    }
    return 1;
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("BENCH_ALLOCATIONS");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *shared = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared == MAP_FAILED) return;
    dl_iterate_phdr(find_program, NULL);
    counts = shared;
}

static inline void count(void *caller) {
    bool own = (uintptr_t)caller >= own_first && (uintptr_t)caller < own_last;
    if (own) counts->own += 1;
    else counts->others += 1;
}

void *malloc(size_t size) {
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count(__builtin_return_address(0));
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    count(__builtin_return_address(0));
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    count(__builtin_return_address(0));
    *result = __libc_memalign(alignment, size);
    return *result == NULL ? ENOMEM : 0;
}
