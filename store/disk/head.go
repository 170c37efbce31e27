package disk

import (
	"encoding/binary"
	"fmt"

	"fargo/store"
)

// headKey is the journal's own record, which is written with every commit. It has
// no slash, as the keys of records do, so versions that do not know it pass it by.
const headKey = "head"

// head is how far the journal has come.
type head struct {
	revision store.Revision // of the last commit
	epoch    store.Epoch    // that it was made in
}

// encode gives two numbers of 8 bytes, the most significant one first.
func (h head) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(h.revision))
	return binary.BigEndian.AppendUint64(b, uint64(h.epoch))
}

func parseHead(b []byte) (head, error) {
	if len(b) != 16 {
		return head{}, fmt.Errorf("the journal's record %q has %d bytes, not 16", headKey, len(b))
	}
	return head{store.Revision(binary.BigEndian.Uint64(b)), store.Epoch(binary.BigEndian.Uint64(b[8:]))}, nil
}
