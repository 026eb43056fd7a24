package store

import (
	"crypto/rand"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"sync"
)

// ID is a UUIDv7 (RFC 9562): its first 48 bits are the time of its making in Unix
// milliseconds, so that ids sort by time. The zero ID is no id.
type ID [16]byte

// NewID makes an ID for the time nowMs (Unix milliseconds). The ids that one process makes sort
// in the order of their making, also within a millisecond: a counter of 18 bits follows the time
// (RFC 9562, section 6.2, method 1). The 56 bits after it come from the system's randomness.
func NewID(nowMs int64) ID {
	var id ID
	// rand.Read of crypto/rand never fails (it ends the process instead).
	rand.Read(id[9:])
	n := made.next(nowMs)
	id[6], id[7], id[8] = byte(n>>14), byte(n>>6), byte(n)
	id.stamp(nowMs)
	return id
}

// counter numbers the ids of a process. It begins anew with each later millisecond, and counts on
// while the clock stands or goes back.
type counter struct {
	mu     sync.Mutex
	lastMs int64
	n      uint32
}

var made counter

// next is a number of 18 bits, greater than the one before of the same millisecond (modulo 2^18).
func (c *counter) next(nowMs int64) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	if nowMs > c.lastMs {
		c.lastMs, c.n = nowMs, 0
	}
	return c.n & (1<<18 - 1)
}

// FirstID is the smallest ID of the time ms: a bound for ranges by time.
func FirstID(ms int64) ID {
	var id ID
	id.stamp(ms)
	return id
}

func (id *ID) stamp(ms int64) {
	var t [8]byte
	binary.BigEndian.PutUint64(t[:], uint64(ms)<<16)
	copy(id[:6], t[:6])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
}

// Time is the Unix milliseconds in the id.
func (id ID) Time() int64 {
	var t [8]byte
	copy(t[2:], id[:6])
	return int64(binary.BigEndian.Uint64(t[:]))
}

// IsZero says whether id is no id.
func (id ID) IsZero() bool { return id == ID{} }

// String is the usual form with hyphens, 36 characters.
func (id ID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:], id[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// MarshalText is String.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is ParseID.
func (id *ID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseID(string(b))
	return err
}

var errID = errors.New("not a UUID: want 8-4-4-4-12 hexadecimal digits")

// ParseID reads the form that String writes, in either case.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, errID
	}
	for _, part := range [...][3]int{{0, 0, 8}, {4, 9, 13}, {6, 14, 18}, {8, 19, 23}, {10, 24, 36}} {
		if _, err := hex.Decode(id[part[0]:], []byte(s[part[1]:part[2]])); err != nil {
			return ID{}, errID
		}
	}
	return id, nil
}

// Scan reads a column of 16 bytes; null leaves the zero ID.
func (id *ID) Scan(src any) error {
	switch b := src.(type) {
	case nil:
		*id = ID{}
		return nil
	case []byte:
		if len(b) == 16 {
			copy(id[:], b)
			return nil
		}
	}
	return errID
}

// Value is the 16 bytes, or null for the zero ID.
func (id ID) Value() (driver.Value, error) { return id.Arg(), nil }

// Arg is id as a statement's argument: its 16 bytes, or nil (null) for the zero ID.
func (id ID) Arg() any {
	if id.IsZero() {
		return nil
	}
	return id[:]
}

// DayOf is the day (days since the epoch, UTC) of the time ms.
func DayOf(ms int64) int64 { return floorDiv(ms, dayMs) }

// HourOf is the hour (hours since the epoch, UTC) of the time ms.
func HourOf(ms int64) int64 { return floorDiv(ms, hourMs) }

// DayStart is the first millisecond of the day.
func DayStart(day int64) int64 { return day * dayMs }

const (
	hourMs = 3_600_000
	dayMs  = 24 * hourMs
)

// Dollars writes nano-dollars as a decimal number of dollars, without loss.
func Dollars(nanos int64) string {
	sign, n := "", uint64(nanos)
	if nanos < 0 {
		sign, n = "-", -n
	}
	whole, rest := n/1e9, n%1e9
	text := sign + strconv.FormatUint(whole, 10)
	if rest > 0 {
		digits := strconv.FormatUint(rest+1e9, 10)[1:]
		text += "." + strings.TrimRight(digits, "0")
	}
	return text
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
