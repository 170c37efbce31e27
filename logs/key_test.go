package logs

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

func somePoint(rt *rapid.T, label string) point {
	return point{
		time:   rapid.Int64Range(0, 1<<62).Draw(rt, label+" time"),
		stream: rapid.Uint64Range(0, 1e18-1).Draw(rt, label+" stream"),
		number: rapid.Uint64Range(0, 1e19-1).Draw(rt, label+" number"),
	}
}

// TestPointsKeepTheirOrder says that places, their digits and, in one stream,
// their keys are ordered alike, and that digits and keys lead back to the place.
func TestPointsKeepTheirOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p, q := somePoint(rt, "p"), somePoint(rt, "q")
		if back, ok := parsePoint(p.String()); !ok || back != p {
			rt.Fatalf("%v written and read is %v", p, back)
		}
		if back := eventPoint(eventKey(7, p)); back != p {
			rt.Fatalf("%v as a key and back is %v", p, back)
		}
		if p.before(q) != (p.String() < q.String()) {
			rt.Fatalf("digits of %v and %v are in another order", p, q)
		}
		q.stream = p.stream
		if p.before(q) != (bytes.Compare(eventKey(7, p), eventKey(7, q)) < 0) {
			rt.Fatalf("keys of %v and %v are in another order", p, q)
		}
	})
}

func TestAfter(t *testing.T) {
	for _, c := range [][2]string{{"a", "b"}, {"a\xff", "b"}, {"a\xff\x01", "a\xff\x02"}, {"\xff", ""}} {
		if got := string(after([]byte(c[0]))); got != c[1] {
			t.Errorf("after(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}

// FuzzDecodeStream feeds damaged records: they are refused, or are what they
// are written as again.
func FuzzDecodeStream(f *testing.F) {
	st := &stream{Stream: Stream{Name: "s", Created: 1, First: 2, Last: 3, Ingested: 4, Bytes: 5}, id: 6, number: 7}
	f.Add(st.encode())
	f.Add([]byte{streamVersion})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, v []byte) {
		st, err := decodeStream("s", v)
		if err != nil {
			return
		}
		again, err := decodeStream("s", st.encode())
		if err != nil || *again != *st {
			t.Fatalf("%+v became %+v (%v)", st, again, err)
		}
	})
}
