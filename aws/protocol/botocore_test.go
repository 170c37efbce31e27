package protocol_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fargo/aws/ec2"
	"fargo/aws/ecr"
	"fargo/aws/ecs"
	"fargo/aws/iam"
	"fargo/aws/logs"
	"fargo/aws/protocol"
	"fargo/aws/sts"
)

// TestBotocoreRequests decodes what botocore 1.43 sends for every typed
// operation with every member set, three levels deep: nothing may be lost.
func TestBotocoreRequests(t *testing.T) {
	for _, s := range []*protocol.Service{&ecs.API, &ec2.API, &iam.API, &sts.API, &ecr.API, &logs.API} {
		t.Run(s.Name, func(t *testing.T) {
			f, err := os.Open("testdata/botocore/" + s.Name + ".jsonl")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for d := json.NewDecoder(f); ; {
				var sent struct {
					Op, Body string
					Leaves   int // the form's parameters; -1 in JSON
				}
				if err := d.Decode(&sent); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				i := slices.IndexFunc(s.Operations, func(op protocol.Operation) bool { return op.Name == sent.Op })
				in := s.Operations[i].Input()
				decode(t, s.Protocols[0], sent.Body, in)
				got, want := tree(t, answer(t, "json", in)), any(nil)
				if sent.Leaves < 0 {
					want = tree(t, sent.Body)
				}
				if sent.Leaves < 0 && !cmp.Equal(got, want) || sent.Leaves >= 0 && leaves(got) != sent.Leaves {
					t.Errorf("%s: sent %s\ndecoded %v", sent.Op, sent.Body, got)
				}
			}
		})
	}
}

func tree(t *testing.T, text string) (v any) {
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// leaves counts the scalars in a tree.
func leaves(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		for _, kid := range v {
			n += leaves(kid)
		}
	case []any:
		for _, kid := range v {
			n += leaves(kid)
		}
	default:
		return 1
	}
	return n
}
