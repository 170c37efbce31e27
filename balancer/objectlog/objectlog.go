package objectlog

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"fargo"
	"fargo/balancer/settings"
	"fargo/desired"
)

// logSlot is how much time one file of a log covers.
// Source: ALB user guide, "Access log files" and "Connection log files".
const logSlot = 5 * time.Minute

// Log writes a balancer's log of one kind to files named as AWS names
// objects in S3, under a directory that stands for it:
//
//	bucket/prefix/AWSLogs/account/elasticloadbalancing/region/yyyy/mm/dd/
//	account_elasticloadbalancing_region_app.name.id_yyyymmddThhmmZ_address_digits.log
//
// Those of network load balancers, "net.name.id", are without an address.
// The files are plain, not compressed, and lines reach them within a second. The
// digits are random, so that servers side by side have files of their own.
type Log struct {
	dir  string // of the bucket and prefix
	arn  string
	kind string // what the files' names begin with
	node string // and end with: see NodeSuffix

	mu struct {
		sync.Mutex
		slot  time.Time // the end of the file's time
		file  *os.File
		out   *bufio.Writer
		ended bool // lines that come later are written one by one
	}
}

// The kinds of logs, as their files' names begin.
const (
	Access       = ""
	Connections  = "conn_log."
	HealthChecks = "health_check_log_"
)

// New gives the log that attributes with a prefix ask for, nil for none.
// root is the directory that stands for S3.
func New(root, arn, kind, node string, a settings.Attributes, prefix string) *Log {
	if root == "" || !a.Bool(prefix+".s3.enabled", false) {
		return nil
	}
	// names come from the user: they stay below root
	bucket := filepath.Join("/", a[prefix+".s3.bucket"], a[prefix+".s3.prefix"])
	return &Log{dir: filepath.Join(root, bucket), arn: arn, kind: kind, node: node}
}

// NodeSuffix is what the names of a load balancer's files end with: the address of its
// node, and digits by chance.
func NodeSuffix(d *desired.Balancer) string {
	digits := fargo.NewHex(8)
	if d.Network || len(d.Interfaces) == 0 {
		return digits
	}
	return d.Interfaces[0].Address.String() + "_" + digits
}

// Replace closes a log and puts another in its place, unless that goes to the same
// files.
func Replace(log **Log, next *Log) error {
	old := *log
	if old.same(next) {
		return nil
	}
	*log = next
	return old.Close()
}

// same reports whether the log goes to the same files as another.
func (a *Log) same(b *Log) bool {
	return a == b || a != nil && b != nil && a.dir == b.dir && a.arn == b.arn
}

// path is the file for the time that ends at slot.
func (a *Log) path(slot time.Time) string {
	parts := append(strings.SplitN(a.arn, ":", 6), make([]string, 6)...)
	region, account := parts[3], parts[4]
	id := strings.ReplaceAll(strings.TrimPrefix(parts[5], "loadbalancer/"), "/", ".")
	name := fmt.Sprintf("%s%s_elasticloadbalancing_%s_%s_%s_%s.log", a.kind, account, region, id, slot.Format("20060102T1504Z"), a.node)
	return filepath.Join(a.dir, "AWSLogs", account, "elasticloadbalancing", region, slot.Format("2006/01/02"), name)
}

// Write adds a line.
func (a *Log) Write(line string, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	now = now.UTC()
	if slot := now.Truncate(logSlot).Add(logSlot); a.mu.file == nil || !slot.Equal(a.mu.slot) {
		if err := a.closeLocked(); err != nil {
			return err
		}
		path := a.path(slot)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return fmt.Errorf("log: %w", err)
		}
		file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return fmt.Errorf("log: %w", err)
		}
		a.mu.slot, a.mu.file, a.mu.out = slot, file, bufio.NewWriterSize(file, 32<<10)
	}
	if _, err := a.mu.out.WriteString(line + "\n"); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	if a.mu.ended {
		return a.closeLocked()
	}
	return nil
}

// Flush writes what is buffered to the file. A nil log has nothing to write.
func (a *Log) Flush() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.file == nil {
		return nil
	}
	return a.mu.out.Flush()
}

// Close closes the file. A line that comes later opens it for itself alone. A nil log
// has nothing to close.
func (a *Log) Close() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.ended = true
	return a.closeLocked()
}

func (a *Log) closeLocked() error {
	if a.mu.file == nil {
		return nil
	}
	err := errors.Join(a.mu.out.Flush(), a.mu.file.Close())
	a.mu.file, a.mu.out = nil, nil
	return err
}
