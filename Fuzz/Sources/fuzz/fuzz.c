// The functions that libFuzzer's main calls.
#include <stddef.h>
#include <stdint.h>

void tcp_multiplexer_fuzz_begin(void);
void tcp_multiplexer_fuzz_run(const uint8_t *bytes, size_t count);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    tcp_multiplexer_fuzz_begin();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    tcp_multiplexer_fuzz_run(bytes, count);
    return 0;
}
