package dispatch_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"fargo/desired"
	"fargo/dispatch/dispatchtest"
)

// plain is the messages' encoding.
type plain struct{}

func (plain) Name() string                       { return "json" }
func (plain) Marshal(v any) ([]byte, error)      { return json.Marshal(v) }
func (plain) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// A node whose contract is one version older or newer is served, one that is
// further away is told why not.
func TestVersionsOfNodes(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	plane := dispatchtest.New()
	serve(t, plane, socket)
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(plain{})))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for difference, served := range map[int]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
		stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/fargo.Dispatch/Session")
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.SendMsg(map[string]any{"node": "n", "contract": desired.Version + difference}); err != nil {
			t.Fatal(err)
		}
		var first map[string]any
		err = stream.RecvMsg(&first)
		// A node that says nothing but its name, as older ones do, cannot say when it is
		// empty.
		if served && plane.Empty("n") == 0 {
			t.Errorf("a difference of %d: it is not taken to be empty", difference)
		}
		if served && (err != nil || first["desired"] == nil) {
			t.Errorf("a difference of %d: %v, %v", difference, first, err)
		}
		if !served && (status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "they may differ by one")) {
			t.Errorf("a difference of %d: %v", difference, err)
		}
		cancel()
	}
}
