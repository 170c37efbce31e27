package logs

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

// The tables, by the first byte of their keys. Ids are eight bytes, and never
// used twice, so that what is left of a deleted group or stream belongs to no other.
const (
	tableGroup  = 'g' // account/region/name → group, JSON
	tableBytes  = 'b' // group id → bytes stored
	tableStream = 's' // group id, name → stream
	tableSource = 'p' // group id, stream id, source → position
	tableEvent  = 'e' // group id, stream id, time, number → ingestion time, message
)

var nextIDKey = []byte{'n'}

// idKey is the key of, or the prefix of keys below, a chain of ids.
func idKey(table byte, ids ...uint64) []byte {
	k := make([]byte, 1, 1+8*4)
	k[0] = table
	for _, id := range ids {
		k = binary.BigEndian.AppendUint64(k, id)
	}
	return k
}

func groupKey(key string) []byte { return append([]byte{tableGroup}, key...) }

func streamKey(group uint64, name string) []byte {
	return append(idKey(tableStream, group), name...)
}

func sourceKey(group, stream uint64, source string) []byte {
	return append(idKey(tableSource, group, stream), source...)
}

func eventKey(group uint64, p point) []byte {
	return idKey(tableEvent, group, p.stream, uint64(p.time), p.number)
}

// eventPoint is the point of an event's key.
func eventPoint(key []byte) point {
	return point{
		stream: binary.BigEndian.Uint64(key[9:]),
		time:   int64(binary.BigEndian.Uint64(key[17:])),
		number: binary.BigEndian.Uint64(key[25:]),
	}
}

// after is the first key after all those that begin with prefix.
func after(prefix []byte) []byte {
	k := bytes.Clone(prefix)
	for i := len(k) - 1; i >= 0; i-- {
		if k[i]++; k[i] != 0 {
			return k[:i+1]
		}
	}
	return nil
}

// point is the position of an event in the order of its group: by time, then by
// stream, then by arrival. As a boundary it lies just before that event.
type point struct {
	time   int64
	stream uint64
	number uint64
}

func (p point) before(q point) bool {
	if p.time != q.time {
		return p.time < q.time
	}
	if p.stream != q.stream {
		return p.stream < q.stream
	}
	return p.number < q.number
}

// in is the boundary p as one in a stream.
func (p point) in(stream uint64) point {
	switch {
	case stream > p.stream:
		return point{p.time, stream, 0}
	case stream < p.stream:
		return point{p.time, stream, math.MaxUint64} // its events of that time lie before p
	}
	return p
}

// next is the boundary just after p.
func (p point) next() point { return point{p.time, p.stream, p.number + 1} }

// String returns 56 digits, as event ids and tokens have in CloudWatch Logs.
func (p point) String() string { return fmt.Sprintf("%019d%018d%019d", p.time, p.stream, p.number) }

func parsePoint(s string) (p point, ok bool) {
	if len(s) != 56 {
		return point{}, false
	}
	time, err1 := strconv.ParseUint(s[:19], 10, 63)
	stream, err2 := strconv.ParseUint(s[19:37], 10, 64)
	number, err3 := strconv.ParseUint(s[37:], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return point{}, false
	}
	return point{int64(time), stream, number}, true
}
