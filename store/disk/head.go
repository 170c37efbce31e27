package disk

import (
	"encoding/json"
	"fmt"

	"fargo/store"
)

// headKey is the journal's own record, which is written with every commit. It has
// no slash, as the keys of records do, so versions that do not know it pass it by.
const headKey = "head"

// head is how far the journal has come. It is JSON, as all records are: the bytes of
// a number might be what a log ends in, and the end of a damaged log is looked for.
type head struct {
	Revision store.Revision `json:"revision"` // of the last commit
	Epoch    store.Epoch    `json:"epoch"`    // that it was made in
}

func (h head) encode() []byte {
	b, err := json.Marshal(h)
	if err != nil {
		panic(err) // two numbers
	}
	return b
}

func parseHead(b []byte) (h head, err error) {
	if err := json.Unmarshal(b, &h); err != nil {
		return head{}, fmt.Errorf("the journal's record %q: %w", headKey, err)
	}
	return h, nil
}
