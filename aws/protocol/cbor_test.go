package protocol_test

import (
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"

	"fargo/aws/protocol"
)

// Errors in CBOR have the absolute names of their shapes, and the query protocol's code in
// a header. A service's own and ValidationException are recorded of CloudWatch.
func TestCBORErrors(t *testing.T) {
	for _, c := range []struct {
		of     *protocol.Error
		want   map[string]any
		header string
	}{
		{protocol.Errorf("NoSuchThing", "no"), map[string]any{"__type": "com.example#NoSuchThingException", "message": "no"}, "NoSuchThing;Sender"},
		{&protocol.Error{Code: "NotFound"}, map[string]any{"__type": "com.example#NotFound"}, "NotFound;Sender"},
		{protocol.Errorf("ValidationError", "m"), map[string]any{"__type": "com.amazon.coral.validate#ValidationException", "message": "m"}, "ValidationError;Sender"},
		{&protocol.Error{Code: "Broken", Message: "m", Fault: true}, map[string]any{"__type": "Broken", "message": "m"}, "Broken;Receiver"},
		{protocol.Errorf("X", "m").WithField("f", func() {}), map[string]any{"__type": "X", "message": "m"}, "X;Sender"},
		{protocol.Errorf("X", "m").WithField("f", "g"), map[string]any{"__type": "X", "message": "m", "f": "g"}, "X;Sender"},
	} {
		a := encodeError("smithy-rpc-v2-cbor", c.of)
		var got map[string]any
		if err := cbor.Unmarshal(a.Body, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%v: %s", c.of, d)
		}
		if a.Header.Get("x-amzn-query-error") != c.header || a.Header.Get("Smithy-Protocol") != "rpc-v2-cbor" {
			t.Errorf("%v has the headers %v", c.of, a.Header)
		}
	}
}
