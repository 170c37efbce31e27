package objectlog_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"fargo"
	"fargo/balancer/objectlog"
	"fargo/desired"
)

// bucket keeps what is put.
type bucket struct {
	objects []desired.LogObject
	err     error
}

func (b *bucket) put(_ context.Context, o desired.LogObject) error {
	if b.err == nil {
		b.objects = append(b.objects, o)
	}
	return b.err
}

func (b *bucket) lines(t *testing.T) (all []string) {
	t.Helper()
	for _, o := range b.objects {
		r, err := gzip.NewReader(bytes.NewReader(o.Content))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	return all
}

func setup(t *testing.T, pace fargo.Pace) (*objectlog.Log, *objectlog.Sender, *bucket) {
	t.Helper()
	dir := objectlog.Dir{Root: t.TempDir(), Pace: pace}
	b := &bucket{}
	log := dir.Log(&desired.Balancer{
		ARN:        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188",
		Interfaces: []desired.Interface{{Address: netip.MustParseAddr("192.0.2.1")}},
		Attributes: map[string]string{"access_logs.s3.enabled": "true", "access_logs.s3.bucket": "logs", "access_logs.s3.prefix": "p/q"},
	}, objectlog.Access, "access_logs")
	return log, &objectlog.Sender{Dir: dir, Put: b.put, Logger: slog.New(slog.DiscardHandler)}, b
}

func send(t *testing.T, s *objectlog.Sender) {
	t.Helper()
	if err := s.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, log *objectlog.Log, line string, at time.Time) {
	t.Helper()
	if err := errors.Join(log.Write(line, at), log.Flush()); err != nil {
		t.Fatal(err)
	}
}

// TestSend sends what is written, each line once, and nothing that is still written to.
func TestSend(t *testing.T) {
	log, sender, bucket := setup(t, 1)
	begin := time.Now().Truncate(5 * time.Minute)
	write(t, log, "one", begin)
	send(t, sender)
	if len(bucket.objects) > 0 {
		t.Fatal("a file was sent to which lines may be added")
	}
	write(t, log, "two", begin.Add(5*time.Minute-1))
	write(t, log, "three", begin.Add(5*time.Minute))
	send(t, sender)
	if got := strings.Join(bucket.lines(t), ","); got != "one\ntwo\n" {
		t.Fatalf("sent was %q", got)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, log, "late", begin.Add(6*time.Minute))
	bucket.err = errors.New("no space")
	if err := sender.Send(t.Context()); err == nil {
		t.Fatal("a failure is not told")
	}
	bucket.err = nil
	send(t, sender)
	send(t, sender)
	if got := bucket.lines(t); len(got) != 3 || got[1]+got[2] != "three\nlate\n" && got[1]+got[2] != "late\nthree\n" {
		t.Fatalf("sent was %q", got)
	}
	const key = `^p/q/AWSLogs/123456789012/elasticloadbalancing/eu-west-1/\d{4}/\d\d/\d\d/` +
		`123456789012_elasticloadbalancing_eu-west-1_app\.web\.50dc6c495c0c9188_\d{8}T\d{4}Z_192\.0\.2\.1_[0-9a-f]{8}\.log\.gz$`
	end := begin.UTC().Add(5 * time.Minute).Format("20060102T1504Z")
	if o := bucket.objects[0]; o.Bucket != "logs" || !regexp.MustCompile(key).MatchString(o.Name) || !strings.Contains(o.Name, end) {
		t.Errorf("the object is %s in %s", o.Name, o.Bucket)
	}
	if left, err := os.ReadDir(sender.Dir.Root); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// TestEndOfTime closes a file when its time has ended, without a further line.
func TestEndOfTime(t *testing.T) {
	log, sender, bucket := setup(t, 60000) // 5 ms
	if err := log.Write("one", time.Now()); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); len(bucket.objects) == 0; send(t, sender) {
		if time.Now().After(deadline) {
			t.Fatal("the file was not closed")
		}
	}
	if got := bucket.lines(t); got[0] != "one\n" {
		t.Errorf("sent was %q", got)
	}
}

// TestRefused drops a log that its bucket does not take.
func TestRefused(t *testing.T) {
	log, sender, bucket := setup(t, 1)
	write(t, log, "one", time.Now())
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	bucket.err = errdefs.ErrNotFound
	send(t, sender)
	bucket.err = nil
	send(t, sender)
	if len(bucket.objects) > 0 {
		t.Error("it was sent again")
	}
}

// TestNewFile leaves a file that was made a moment ago, and removes an empty one that is
// old.
func TestNewFile(t *testing.T) {
	_, sender, bucket := setup(t, 1)
	file := filepath.Join(sender.Dir.Root, "logs.log")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	send(t, sender)
	if _, err := os.Stat(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, time.Time{}, time.Now().Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	send(t, sender)
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) || len(bucket.objects) > 0 {
		t.Errorf("the file is there (%v), sent were %v", err, bucket.objects)
	}
}
