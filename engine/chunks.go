package engine

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// The wire format of the engine's logs and manifests: blocks of 32 KiB, filled
// with chunks, none of which crosses a block's end. A record is one chunk or a
// first, any number of middle and a last one.
// Source: the package comment of pebble's record.
const (
	blockSize = 32 << 10

	// headerLegacy is that of the manifest's chunks: checksum, size, type.
	headerLegacy = 7
	// headerRecyclable has the log's number too, which tells what was written to
	// this log from what its file held when it was another's.
	headerRecyclable = headerLegacy + 4
	// headerSync has, too, up to where the log was synced when it was written.
	headerSync = headerRecyclable + 8
)

// The parts of a record a chunk can be. On the wire they are one of these, for
// the manifest; 4 more, recyclable; or 8 more, with a sync offset.
const (
	partFull = iota + 1
	partFirst
	partMiddle
	partLast
)

// format is how the chunks of a file are read.
type format struct {
	// log is the number of the log, of which the low 32 bits are in each chunk; 0
	// is a manifest, which has none.
	log uint64
}

// align is where the next chunk begins when the one before ends at offset. Where
// too little is left of a block for a header, it is filled with zeros. How much a
// header takes is the log's affair: those that are begun before the engine has
// raised its format, as the first one of a directory, have no sync offsets.
func (f format) align(data []byte, offset int64) int64 {
	rest := blockSize - offset%blockSize
	switch {
	case f.log == 0 && rest < headerLegacy, f.log != 0 && rest < headerRecyclable:
		return offset + rest
	case f.log != 0 && rest < headerSync && allZero(data, offset, offset+rest):
		return offset + rest
	}
	return offset
}

// allZero reports whether data has nothing but zeros from one offset to another,
// where it reaches as far.
func allZero(data []byte, from, to int64) bool {
	n := int64(len(data))
	return len(bytes.Trim(data[min(from, n):min(to, n)], "\x00")) == 0
}

// chunk is one whole chunk whose checksum is right.
type chunk struct {
	part       int
	start, end int64
	payload    []byte
	// synced is up to where the log was known to be synced when this was written.
	synced int64
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is the engine's. Source: pebble's internal/crc, which took LevelDB's.
func checksum(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// at reads the chunk that begins at an offset, if a good one does.
func (f format) at(data []byte, offset int64) (c chunk, ok bool) {
	block := data[offset:min(int64(len(data)), offset-offset%blockSize+blockSize)]
	if len(block) < headerLegacy {
		return chunk{}, false
	}
	kind, header := int(block[6]), int64(0)
	switch {
	case f.log == 0 && kind >= partFull && kind <= partLast:
		header = headerLegacy
	case f.log != 0 && kind > 4 && kind <= 8:
		kind, header = kind-4, headerRecyclable
	case f.log != 0 && kind > 8 && kind <= 12:
		kind, header = kind-8, headerSync
	default:
		return chunk{}, false
	}
	size := header + int64(binary.LittleEndian.Uint16(block[4:]))
	if int64(len(block)) < size {
		return chunk{}, false
	}
	if f.log != 0 && binary.LittleEndian.Uint32(block[7:]) != uint32(f.log) {
		return chunk{}, false
	}
	if checksum(block[6:size]) != binary.LittleEndian.Uint32(block) {
		return chunk{}, false
	}
	c = chunk{part: kind, start: offset, end: offset + size, payload: block[header:size]}
	if header == headerSync {
		c.synced = int64(binary.LittleEndian.Uint64(block[11:]))
	}
	return c, true
}

// trailer is what closes a log: a chunk without checksum, of the next log.
func (f format) trailer() []byte {
	t := make([]byte, headerRecyclable)
	t[6] = 5 // full, recyclable
	binary.LittleEndian.PutUint32(t[7:], uint32(f.log)+1)
	return t
}

// extent is how far a file of records is good.
type extent struct {
	// replayed is where the engine stops to read: behind the last whole record.
	replayed int64
	// good is where the first chunk begins that is not good. It is behind replayed
	// when the last record is not whole.
	good int64
	// closed says that a trailer follows.
	closed bool
	// end is good, and the trailer.
	end int64
}

// measure reads a file of records as the engine does.
func (f format) measure(data []byte) (e extent) {
	whole, within := int64(0), false
	for e.good < int64(len(data)) {
		c, ok := f.at(data, e.good)
		begins, ends := c.part == partFull || c.part == partFirst, c.part == partFull || c.part == partLast
		if !ok || begins == within {
			break
		}
		e.good = f.align(data, c.end)
		if within = !ends; ends {
			whole = e.good
		}
	}
	// Up to here it makes no difference whose reader reads. What counts is what the
	// engine's own finds.
	e.replayed = f.align(data, f.replay(data[:min(e.good, int64(len(data)))]))
	if e.replayed != whole {
		e.good = e.replayed
	}
	e.end = e.good
	if f.log != 0 && e.good <= int64(len(data)) && bytes.HasPrefix(data[e.good:], f.trailer()) {
		e.closed = true
		e.end += headerRecyclable
	}
	return e
}

// replay is where the engine stops to read a file.
func (f format) replay(data []byte) (end int64) {
	r := newReader(bytes.NewReader(data), f.log)
	for {
		one, err := r.Next()
		if err != nil {
			return end
		}
		if _, err := io.Copy(io.Discard, one); err != nil {
			return end
		}
		end = r.Offset()
	}
}

// next finds the first good chunk that begins at an offset or behind it,
// wherever that is: what is between may be of any length.
func (f format) next(data []byte, offset int64) (c chunk, ok bool) {
	for ; offset < int64(len(data)); offset++ {
		if c, ok := f.at(data, offset); ok {
			return c, true
		}
	}
	return chunk{}, false
}
