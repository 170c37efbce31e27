package engine

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// entry is one version of a key, or, as a tombstone of a range, of all keys from key
// to before value.
type entry struct {
	key, value []byte
	seq        uint64
	kind       pebble.InternalKeyKind
	inTable    bool // or in a log
}

// order is that of the engine: by key, and the newest version first.
func (e *entry) order(o *entry) int {
	return cmp.Or(bytes.Compare(e.key, o.key), cmp.Compare(o.seq, e.seq))
}

// The header of a batch: the number of its first write, and how many there are.
// Source: pebble's batchrepr.
const batchHeader = 12

// batch takes a record of a log apart. ok is false when it is not a whole batch.
func batch(record []byte) (first uint64, entries []entry, ok bool) {
	if len(record) < batchHeader {
		return 0, nil, false
	}
	first = binary.LittleEndian.Uint64(record)
	count := int(binary.LittleEndian.Uint32(record[8:]))
	rest := record[batchHeader:]
	for len(rest) > 0 {
		var e entry
		if e, rest, ok = write(rest); !ok {
			return first, entries, false
		}
		if e.kind == pebble.InternalKeyKindLogData {
			continue // counts for nothing
		}
		e.seq = first + uint64(len(entries))
		entries = append(entries, e)
	}
	return first, entries, len(entries) == count
}

// write takes the first write off a batch's.
func write(b []byte) (e entry, rest []byte, ok bool) {
	e.kind, b = pebble.InternalKeyKind(b[0]), b[1:]
	if e.key, b, ok = text(b); !ok {
		return entry{}, nil, false
	}
	switch e.kind {
	case pebble.InternalKeyKindSet, pebble.InternalKeyKindMerge, pebble.InternalKeyKindRangeDelete, pebble.InternalKeyKindDeleteSized:
		if e.value, b, ok = text(b); !ok {
			return entry{}, nil, false
		}
	case pebble.InternalKeyKindDelete, pebble.InternalKeyKindSingleDelete, pebble.InternalKeyKindLogData:
	default:
		return entry{}, nil, false // none that we write
	}
	return e, b, true
}

func text(b []byte) (s, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	return b[size : size+int(n)], b[size+int(n):], true
}

// salvageLog takes all whole batches out of a log, also those behind damage. last
// says that it is the newest, which may have been cut by a crash.
func (s *salvage) salvageLog(number uint64, data []byte, last bool) {
	f := format{log: number}
	path := s.from.path(logName(number))
	at, why := s.from.judge(number, data, last)
	hole := int64(-1) // where what is missing began
	next := uint64(0) // the number of the write after those that were found
	good := int64(0)  // where the last batch that was found ended
	var record []byte // up to now
	within, end := false, f.align(data, int64(len(data)))
	for offset := int64(0); offset < end; {
		if offset < int64(len(data)) && bytes.HasPrefix(data[offset:], f.trailer()) {
			good = offset
			break
		}
		c, ok := f.at(data, offset)
		begins, ends := c.part == partFull || c.part == partFirst, c.part == partFull || c.part == partLast
		if !ok || begins == within {
			if why == "" {
				return // the log ends here
			}
			if hole < 0 {
				hole = offset
			}
			if c, ok = f.beginning(data, offset); !ok {
				break
			}
			record, ends = nil, c.part == partFull
		}
		offset, record, within = f.align(data, c.end), append(record, c.payload...), !ends
		if !ends {
			continue
		}
		if first, entries, ok := batch(record); ok && len(entries) > 0 {
			if hole >= 0 {
				s.lost(path, data, hole, c.start, next, first)
			}
			hole, good, next = -1, offset, first+uint64(len(entries))
			s.entries = append(s.entries, entries...)
		}
		record = nil
	}
	cut := s.from.marked && s.from.mark.log == number && good+headerRecyclable < int64(s.from.mark.logBytes)
	if hole >= 0 || why != "" && cut {
		s.lose(Loss{path, cmp.Or(max(hole, 0), at), why, -1, s.guess(data, max(hole, at))})
	}
}

// beginning finds the next good chunk, at an offset or behind it, that begins a
// record.
func (f format) beginning(data []byte, offset int64) (chunk, bool) {
	for c, ok := f.next(data, offset); ok; c, ok = f.next(data, c.end) {
		if c.part == partFull || c.part == partFirst {
			return c, true
		}
	}
	return chunk{}, false
}

// lost takes down a hole in a log between two batches. Writes are numbered, so it
// is known how many there were.
func (s *salvage) lost(path string, data []byte, from, to int64, next, first uint64) {
	n := int64(-1)
	if next > 0 && first >= next {
		n = int64(first - next)
	}
	if n != 0 {
		s.lose(Loss{path, from, fmt.Sprintf("unreadable up to offset %d", to), n, s.guess(data[:to], from)})
	}
}

// guess makes out keys in a damaged record: those up to where it stops making
// sense.
func (s *salvage) guess(data []byte, at int64) (keys []string) {
	data = data[min(at, int64(len(data))):]
	header := headerRecyclable
	if len(data) > headerLegacy && data[6] > 8 {
		header = headerSync
	}
	if len(data) < header+batchHeader {
		return nil
	}
	for rest := data[header+batchHeader:]; len(rest) > 0; {
		e, after, ok := write(rest)
		if !ok {
			break
		}
		name, known := s.name(e.key)
		if !known {
			break
		}
		keys = append(keys, name)
		rest = after
	}
	return keys
}
