package s3_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fargo/api"
	"fargo/api/s3"
	wire "fargo/aws/s3"
	"fargo/objects"
	"fargo/record"
	"fargo/store"
)

// A death is where a process is killed: after this many more commits, before the next one
// or when that is durable and nobody has been told; or in the middle of a body.
type death struct {
	commits int
	durable bool
	body    bool
}

func (d death) String() string {
	switch {
	case d.body:
		return "in the body"
	case d.durable:
		return fmt.Sprintf("after commit %d", d.commits+1)
	}
	return fmt.Sprintf("before commit %d", d.commits+1)
}

var errKilled = errors.New("the process was killed")

// dying is the journal of a process that is killed.
type dying struct {
	store.Journal
	at   *death // nil while it lives on
	dead bool
}

func (d *dying) Commit(ctx context.Context, epoch store.Epoch, writes []store.Write) (store.Revision, error) {
	switch {
	case d.dead:
		return 0, errKilled
	case d.at == nil || d.at.body || d.at.commits > 0:
		if d.at != nil {
			d.at.commits--
		}
		return d.Journal.Commit(ctx, epoch, writes)
	}
	d.dead = true
	if d.at.durable {
		if _, err := d.Journal.Commit(ctx, epoch, writes); err != nil {
			return 0, err
		}
	}
	return 0, errKilled
}

// process is one life of S3 on a disk.
type process struct {
	t        *testing.T
	dir      string
	journal  *dying
	db       *store.DB
	contents *objects.Store
	s        *s3.Server
}

// begin starts a process on what others have left.
func begin(t *testing.T, journal store.Journal, dir string) *process {
	p := &process{t: t, dir: dir, journal: &dying{Journal: journal}}
	var err error
	if p.db, err = store.Open(t.Context(), p.journal); err != nil {
		t.Fatal(err)
	}
	if p.contents, err = objects.Open(objects.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	p.s = s3.New(s3.Config{DB: p.db, Contents: p.contents, Authorizer: api.AllowAuthenticated{}})
	return p
}

// body is text to send. Of a process that is killed meanwhile it ends in a panic: what runs
// in a panic alone does not run in a process that is killed, and nothing here does.
func (p *process) body(text string) io.ReadCloser {
	if at := p.journal.at; at != nil && at.body {
		p.journal.dead = true
		return io.NopCloser(io.MultiReader(strings.NewReader(text[:len(text)/2]), killer{}))
	}
	return io.NopCloser(strings.NewReader(text))
}

type killer struct{}

func (killer) Read([]byte) (int, error) { panic(errKilled) }

func (p *process) put(ctx context.Context, key, text string) error {
	_, err := p.s.PutObject(ctx, &wire.PutObjectInput{Bucket: new("bucket"), Key: &key, Body: p.body(text), ContentLength: new(int64(len(text)))})
	return err
}

// upload sends parts, the first of them twice, and completes or aborts the upload.
func (p *process) upload(ctx context.Context, key, text string, abort bool) error {
	u, err := p.s.CreateMultipartUpload(ctx, &wire.CreateMultipartUploadInput{Bucket: new("bucket"), Key: &key})
	if err != nil {
		return err
	}
	var part wire.CompletedPart
	for _, text := range []string{"another", text} {
		out, err := p.s.UploadPart(ctx, &wire.UploadPartInput{Bucket: new("bucket"), Key: &key, UploadId: u.UploadId, PartNumber: new(int32(1)), Body: p.body(text), ContentLength: new(int64(len(text)))})
		if err != nil {
			return err
		}
		part = wire.CompletedPart{ETag: out.ETag, PartNumber: new(int32(1))}
	}
	if _, err := p.s.UploadPartCopy(ctx, &wire.UploadPartCopyInput{Bucket: new("bucket"), Key: &key, UploadId: u.UploadId, PartNumber: new(int32(2)), CopySource: new("bucket/kept")}); err != nil {
		return err
	}
	if abort {
		_, err = p.s.AbortMultipartUpload(ctx, &wire.AbortMultipartUploadInput{Bucket: new("bucket"), Key: &key, UploadId: u.UploadId})
		return err
	}
	_, err = p.s.CompleteMultipartUpload(ctx, &wire.CompleteMultipartUploadInput{
		Bucket: new("bucket"), Key: &key, UploadId: u.UploadId, MultipartUpload: &wire.CompletedMultipartUpload{Parts: []wire.CompletedPart{part}},
	})
	return err
}

func (p *process) copyObject(ctx context.Context, from, to string) error {
	_, err := p.s.CopyObject(ctx, &wire.CopyObjectInput{Bucket: new("bucket"), Key: &to, CopySource: new("bucket/" + from)})
	return err
}

// operations are what may be interrupted, each with what the objects are when it is done.
var operations = map[string]struct {
	do   func(ctx context.Context, p *process) error
	want map[string]string // "" for none
}{
	"put":      {func(ctx context.Context, p *process) error { return p.put(ctx, "new", "contents") }, map[string]string{"new": "contents"}},
	"put over": {func(ctx context.Context, p *process) error { return p.put(ctx, "old", "contents") }, map[string]string{"old": "contents"}},
	"multipart": {func(ctx context.Context, p *process) error { return p.upload(ctx, "new", "contents", false) }, map[string]string{
		"new": "contents",
	}},
	"multipart over": {func(ctx context.Context, p *process) error { return p.upload(ctx, "old", "contents", false) }, map[string]string{
		"old": "contents",
	}},
	"aborted multipart": {func(ctx context.Context, p *process) error { return p.upload(ctx, "old", "contents", true) }, nil},
	"copy":              {func(ctx context.Context, p *process) error { return p.copyObject(ctx, "kept", "new") }, map[string]string{"new": "kept for ever"}},
	"copy over":         {func(ctx context.Context, p *process) error { return p.copyObject(ctx, "kept", "old") }, map[string]string{"old": "kept for ever"}},
	"delete": {func(ctx context.Context, p *process) error {
		_, err := p.s.DeleteObject(ctx, &wire.DeleteObjectInput{Bucket: new("bucket"), Key: new("old")})
		return err
	}, map[string]string{"old": ""}},
	"delete many": {func(ctx context.Context, p *process) error {
		_, err := p.s.DeleteObjects(ctx, &wire.DeleteObjectsInput{Bucket: new("bucket"), Delete: &wire.Delete{Objects: []wire.ObjectIdentifier{{Key: new("old")}, {Key: new("older")}}}})
		return err
	}, map[string]string{"old": "", "older": ""}},
}

// A process may be killed at each step of whatever writes. What was acknowledged is there,
// whole; what was not is as before or as after; and when the next process has collected,
// no file is without a record, nor a record without its file. The operation then succeeds.
func TestKilled(t *testing.T) {
	for name, op := range operations {
		t.Run(name, func(t *testing.T) {
			deaths := 0
			for _, durable := range []bool{false, true} {
				for commits := 0; interrupted(t, op.do, op.want, death{commits: commits, durable: durable}); commits++ {
					deaths++
				}
			}
			if deaths < 2 {
				t.Errorf("it was interrupted %d times", deaths)
			}
			interrupted(t, op.do, op.want, death{body: true})
		})
	}
}

// interrupted does an operation that is killed, and reports whether it was.
func interrupted(t *testing.T, do func(context.Context, *process) error, want map[string]string, at death) (killed bool) {
	journal, dir := store.NewMemory(), files(t)
	ctx := api.WithCall(t.Context(), &api.Call{Account: home.Account, Region: home.Region, Caller: api.Caller{PrincipalARN: "arn:aws:iam::123456789012:user/a"}})
	before := map[string]string{"kept": "kept for ever", "old": "old contents", "older": "older ones", "new": ""}
	p := begin(t, journal, dir)
	if _, err := p.s.CreateBucket(ctx, &wire.CreateBucketInput{Bucket: new("bucket")}); err != nil {
		t.Fatal(err)
	}
	for key, text := range before {
		if text != "" {
			if err := p.put(ctx, key, text); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.journal.at = &at
	when := at.String()
	err := func() (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = errKilled
			}
		}()
		return do(ctx, p)
	}()
	if err != nil && !p.journal.dead {
		t.Fatalf("%s: %v", when, err)
	}
	if killed = p.journal.dead; killed && err == nil {
		t.Fatalf("%s: what nobody can know is acknowledged", when)
	}
	p = begin(t, journal, dir)
	p.collect(ctx)
	for key, old := range before {
		got := p.text(ctx, key)
		now, changes := want[key]
		if !changes {
			now = old
		}
		if got != now && (!killed || got != old) {
			t.Errorf("%s: %s is %q, was %q, would be %q", when, key, got, old, now)
		}
	}
	p.whole(when)
	p.abortAll(ctx)
	if err := do(ctx, p); err != nil {
		t.Errorf("%s: again: %v", when, err)
	}
	p.collect(ctx)
	for key, now := range want {
		if got := p.text(ctx, key); got != now {
			t.Errorf("%s: %s is %q in the end, want %q", when, key, got, now)
		}
	}
	p.whole(when + ", in the end")
	if err := p.db.Close(); err != nil {
		t.Error(err)
	}
	return killed
}

// files is a directory for files, in memory where there is one: the test syncs often.
func files(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "fargo-s3-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// collect removes files without records, as if an hour had passed.
func (p *process) collect(ctx context.Context) {
	if _, err := p.contents.Collect(ctx, time.Now().Add(time.Hour), func() iter.Seq[record.Blob] { return store.Blobs(p.db.View()) }); err != nil {
		p.t.Error(err)
	}
}

// text is an object's contents; "" when there is none.
func (p *process) text(ctx context.Context, key string) string {
	out, err := p.s.GetObject(ctx, &wire.GetObjectInput{Bucket: new("bucket"), Key: &key})
	if err != nil {
		if _, ok := store.Objects.Get(p.db.View(), record.ObjectKey("bucket", key)); ok {
			p.t.Errorf("%s: %v", key, err)
		}
		return ""
	}
	defer out.Body.Close()
	all, err := io.ReadAll(out.Body)
	if err != nil {
		p.t.Errorf("%s: %v", key, err)
	}
	return string(all)
}

// whole checks that the files are those that records name.
func (p *process) whole(when string) {
	named := map[string]bool{}
	for b := range store.Blobs(p.db.View()) {
		if named[b.ID] {
			p.t.Errorf("%s: two records name the file %s", when, b.ID)
		}
		if named[b.ID] = true; !p.contents.Exists(b) {
			p.t.Errorf("%s: the file %s is missing", when, b.ID)
		}
	}
	err := filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !named[d.Name()] {
			p.t.Errorf("%s: the file %s is left", when, path)
		}
		return err
	})
	if err != nil {
		p.t.Error(err)
	}
}

// abortAll aborts the uploads that a client has begun and that it knows nothing of.
func (p *process) abortAll(ctx context.Context) {
	for u := range store.ObjectUploads.All(p.db.View()) {
		if _, err := p.s.AbortMultipartUpload(ctx, &wire.AbortMultipartUploadInput{Bucket: &u.Bucket, Key: &u.Name, UploadId: &u.ID}); err != nil {
			p.t.Error(err)
		}
	}
}
