package disk

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"fargo/store"
)

// Whatever the head says, it is read as it was written, and cannot be taken for the
// end of a log, which has zeros.
func TestHead(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := head{store.Revision(rapid.Uint64().Draw(r, "revision")), store.Epoch(rapid.Uint64().Draw(r, "epoch"))}
		b := h.encode()
		if got, err := parseHead(b); err != nil || got != h {
			r.Fatalf("%+v came back as %+v, %v", h, got, err)
		}
		if bytes.IndexByte(b, 0) >= 0 {
			r.Fatalf("%q has a zero in it", b)
		}
	})
	for _, wrong := range []string{"", "1", `{"revision":-1}`, "\x00\x01"} {
		if _, err := parseHead([]byte(wrong)); err == nil {
			t.Errorf("%q was read", wrong)
		}
	}
}
