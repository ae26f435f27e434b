// As much of Modbus/TCP as a read of holding registers takes, and a write of one.
#ifndef MODBUS_H
#define MODBUS_H

#include <stddef.h>
#include <stdint.h>

enum {
    modbus_header = 7,     // transaction id, protocol, length, unit
    modbus_longest = 260,  // a whole frame
    modbus_request = 12,   // a read of registers, or a write of one
    modbus_registers = 125,
    modbus_read = 3,
    modbus_write = 6,
    modbus_exception = 0x80,
};

static inline uint16_t get16(const uint8_t *bytes) { return (uint16_t)(bytes[0] << 8 | bytes[1]); }

static inline void put16(uint8_t *bytes, unsigned value) {
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

// What the register of this unit and address holds: different enough that another register's answer, another unit's or
// one that is shifted by a byte is seen.
static inline uint16_t modbus_value(unsigned unit, unsigned address) {
    return (uint16_t)(address * 40503U + unit * 9973U + 4711U);
}

// How long the frame is that begins here: 0 if that cannot be said yet, -1 if it is none.
static inline int modbus_frame_length(const uint8_t *bytes, size_t count) {
    if (count < 6) return 0;
    unsigned length = get16(bytes + 4);
    if (get16(bytes + 2) != 0 || length < 2 || length > modbus_longest - 6) return -1;
    return 6 + (int)length;
}

// A read of so many registers, or a write of this value.
static inline void modbus_put_request(uint8_t *frame, unsigned id, unsigned unit, unsigned function, unsigned address,
                                      unsigned count_or_value) {
    put16(frame, id);
    put16(frame + 2, 0);
    put16(frame + 4, 6);
    frame[6] = (uint8_t)unit;
    frame[7] = (uint8_t)function;
    put16(frame + 8, address);
    put16(frame + 10, count_or_value);
}

#endif
