package metrics

import (
	"encoding/binary"
	"errors"
	"math"
)

// What is stored of an hour of a series is a list of points in ascending order: of each
// how many seconds it is after the one before, or after the hour's begin, and its set.
// A set begins with its kind.
const (
	kindSame    = 0 // of samples of one value: count, value
	kindOpaque  = 1 // count, sum, minimum, maximum
	kindExact   = 2 // the same, how many values, and of each the value and the count
	kindBuckets = 3 // the same, how many buckets, and of each how much its index is above that before, and the count
)

// point is the set of a time.
type point struct {
	offset int64 // in seconds, in its hour
	set    StatisticSet
}

// errEncoding says that stored points are not what this package writes. Damage on disk
// is noticed before.
var errEncoding = errors.New("stored points cannot be decoded")

// appendPoint appends a point that follows one at the offset before.
func appendPoint(b []byte, before int64, p point) []byte {
	return appendSet(binary.AppendUvarint(b, uint64(p.offset-before)), p.set)
}

func appendSet(b []byte, s StatisticSet) []byte {
	d := s.values
	switch {
	case s.opaque:
		return appendFour(append(b, kindOpaque), s)
	case d == nil:
		return appendFloat(appendCount(append(b, kindSame), s.Count), s.Minimum)
	case d.buckets == nil:
		b = binary.AppendUvarint(appendFour(append(b, kindExact), s), uint64(len(d.exact)))
		for _, w := range d.exact {
			b = appendCount(appendFloat(b, w.value), w.count)
		}
		return b
	}
	b = binary.AppendUvarint(appendFour(append(b, kindBuckets), s), uint64(len(d.buckets)))
	before := 0
	for _, bucket := range d.buckets {
		b = appendCount(binary.AppendVarint(b, int64(bucket.index-before)), bucket.count)
		before = bucket.index
	}
	return b
}

func appendFour(b []byte, s StatisticSet) []byte {
	return appendFloat(appendFloat(appendFloat(appendCount(b, s.Count), s.Sum), s.Minimum), s.Maximum)
}

func appendFloat(b []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
}

// appendCount appends a count, which is nearly always a whole number and small: then
// twice it, and 1 before any other.
func appendCount(b []byte, count float64) []byte {
	if count >= 0 && count < 1<<53 && count == math.Trunc(count) {
		return binary.AppendUvarint(b, uint64(count)<<1)
	}
	return appendFloat(append(b, 1), count)
}

// decoder reads points.
type decoder struct {
	rest   []byte
	offset int64 // of the point that was read last
	bad    bool
}

// next reads a point; ok is false when there is none.
func (d *decoder) next(p *point) (ok bool) {
	if len(d.rest) == 0 || d.bad {
		return false
	}
	d.offset += int64(d.uvarint())
	p.offset, p.set = d.offset, d.set()
	return !d.bad
}

// err is the error of what was read.
func (d *decoder) err() error {
	if d.bad {
		return errEncoding
	}
	return nil
}

func (d *decoder) set() StatisticSet {
	switch d.byte() {
	case kindSame:
		count := d.count()
		return Values(d.float(), count)
	case kindOpaque:
		s := d.four()
		s.opaque = true
		return s
	case kindExact:
		s := d.four()
		s.values = &distribution{exact: make([]weighted, d.length())}
		for i := range s.values.exact {
			v := d.float()
			s.values.exact[i] = weighted{v, d.count()}
		}
		return s
	case kindBuckets:
		s := d.four()
		s.values = &distribution{buckets: make([]bucket, d.length())}
		index := 0
		for i := range s.values.buckets {
			index += int(d.varint())
			s.values.buckets[i] = bucket{index, d.count()}
		}
		return s
	}
	d.bad = true
	return StatisticSet{}
}

func (d *decoder) four() (s StatisticSet) {
	s.Count = d.count()
	s.Sum = d.float()
	s.Minimum = d.float()
	s.Maximum = d.float()
	return s
}

func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		d.bad = true
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *decoder) float() float64 {
	if len(d.rest) < 8 {
		d.bad = true
		return 0
	}
	f := math.Float64frombits(binary.LittleEndian.Uint64(d.rest))
	d.rest = d.rest[8:]
	return f
}

func (d *decoder) count() float64 {
	twice := d.uvarint()
	if twice == 1 {
		return d.float()
	}
	return float64(twice >> 1)
}

func (d *decoder) uvarint() uint64 {
	n, size := binary.Uvarint(d.rest)
	return n * d.took(size)
}

func (d *decoder) varint() int64 {
	n, size := binary.Varint(d.rest)
	return n * int64(d.took(size))
}

// took takes what a number had; 0 when it was none.
func (d *decoder) took(size int) uint64 {
	if size <= 0 {
		d.bad = true
		d.rest = nil
		return 0
	}
	d.rest = d.rest[size:]
	return 1
}

// length is that of a list, each of whose items has more than one byte.
func (d *decoder) length() int {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.bad = true
		return 0
	}
	return int(n)
}
