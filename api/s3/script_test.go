package s3_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/s3"
	wire "fargo/aws/s3"
	"fargo/objects"
	"fargo/record"
	"fargo/store"
)

var home = fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}

// open makes a server with a store and a directory of its own.
func open(t testing.TB) (*s3.Server, *store.DB, *objects.Store) {
	t.Helper()
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	contents, err := objects.Open(objects.Config{Dir: filepath.Join(t.TempDir(), "objects"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s3.New(s3.Config{DB: db, Contents: contents, Authorizer: api.AllowAuthenticated{}}), db, contents
}

func mounted(s *s3.Server) []api.Mounted {
	return []api.Mounted{{Service: &wire.API, Server: s, Locate: s.Locate, CheckBody: s3.CheckBody}}
}

// TestScripts runs the scripts. "put" and "part" send contents: an input, and after it
// the text, or how many of a letter. "get" shows an object's contents, and "others"
// gives a bucket to another account.
func TestScripts(t *testing.T) {
	apitest.Run(t, func(t *testing.T) apitest.Setup {
		s, db, _ := open(t)
		return apitest.Setup{Services: mounted(s), Commands: map[string]func(context.Context, string) (string, error){
			"put": func(ctx context.Context, args string) (string, error) {
				in := &wire.PutObjectInput{}
				in.Body = body(args, in)
				in.ContentLength = new(lengthOf(args))
				return show(ctx, s, "PutObject", in, func(ctx context.Context) (any, error) { return s.PutObject(ctx, in) })
			},
			"part": func(ctx context.Context, args string) (string, error) {
				in := &wire.UploadPartInput{}
				in.Body = body(args, in)
				in.ContentLength = new(lengthOf(args))
				return show(ctx, s, "UploadPart", in, func(ctx context.Context) (any, error) { return s.UploadPart(ctx, in) })
			},
			"get":    func(ctx context.Context, args string) (string, error) { return get(ctx, s, args) },
			"others": func(ctx context.Context, name string) (string, error) { return "", others(ctx, db, name) },
		}}
	})
}

// body takes the arguments of put and part apart.
func body(args string, in any) io.ReadCloser {
	input, text, _ := strings.Cut(args, "} ")
	if err := json.Unmarshal([]byte(input+"}"), in); err != nil {
		panic(fmt.Sprintf("%s: %v", args, err))
	}
	return io.NopCloser(strings.NewReader(contents(text)))
}

func contents(text string) string {
	letter, times, ok := strings.Cut(text, "*")
	if n, err := strconv.Atoi(times); ok && err == nil {
		return strings.Repeat(letter, n)
	}
	return text
}

func lengthOf(args string) int64 {
	_, text, _ := strings.Cut(args, "} ")
	return int64(len(contents(text)))
}

func call(ctx context.Context, operation string) (context.Context, *api.Call) {
	c := &api.Call{Service: "s3", Operation: operation, Account: home.Account, Region: home.Region, Caller: api.Caller{PrincipalARN: "arn:aws:iam::" + home.Account + ":user/admin"}}
	return api.WithCall(ctx, c), c
}

func show(ctx context.Context, s *s3.Server, operation string, in any, carryOut func(context.Context) (any, error)) (string, error) {
	ctx, _ = call(ctx, operation)
	if err := s.Precheck(ctx, in); err != nil {
		return "", err
	}
	out, err := carryOut(ctx)
	if err != nil {
		return "", err
	}
	b, err := json.MarshalIndent(out, "", "  ")
	return string(b), err
}

// get gives the status, the range and the contents.
func get(ctx context.Context, s *s3.Server, args string) (string, error) {
	in := &wire.GetObjectInput{}
	if err := json.Unmarshal([]byte(args), in); err != nil {
		return "", err
	}
	ctx, c := call(ctx, "GetObject")
	out, err := s.GetObject(ctx, in)
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	if len(text) > 100 {
		text = fmt.Appendf(nil, "%d bytes", len(text))
	}
	shown := ""
	if out.ContentRange != nil {
		shown = fmt.Sprintf("%d %s: ", c.Reply.Status, *out.ContentRange)
	}
	return shown + string(text), err
}

func others(ctx context.Context, db *store.DB, name string) error {
	return db.Update(ctx, func(tx *store.Tx) error {
		store.Buckets.Put(tx, &record.Bucket{Name: name, Scope: fargo.Scope{Account: "210987654321", Region: home.Region}})
		return nil
	})
}

func TestTexts(t *testing.T) { apitest.Texts(t, ".") }
