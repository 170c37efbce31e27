// Package cloudtrail writes what is served as CloudTrail's records: who called what, from
// where, with which parameters, and what came of it. It knows the records' shape and what
// must not be in them; it refuses to know where they are kept. The operations of
// CloudTrail itself (trails, LookupEvents) are not there.
package cloudtrail

import "fargo/api"

// Recorder is an [api.Observer] that writes a record of each call.
type Recorder struct {
	// Append takes a record, which is one line of JSON. With now it is to be kept before
	// the call is answered: it may have changed something.
	Append func(record []byte, now bool)
}

var _ api.Observer = (*Recorder)(nil)
