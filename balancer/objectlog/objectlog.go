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

const (
	// slot is how much time one file of a log covers.
	// Source: ALB user guide, "Access log files" and "Connection log files".
	slot = 5 * time.Minute
	// largest is how large a file may be when a line is added, in bytes: of busy times
	// there are several. Source: as above.
	largest = 32 << 20
)

// Dir is the directory in which files are until they are sent to their buckets: see
// [Sender].
type Dir struct {
	Root string // empty: there are no logs
	// Pace divides the time that a file covers.
	Pace fargo.Pace
}

// Log writes a balancer's log of one kind to files named as AWS names
// objects in S3, under a directory that stands for it:
//
//	bucket/prefix/AWSLogs/account/elasticloadbalancing/region/yyyy/mm/dd/
//	account_elasticloadbalancing_region_app.name.id_yyyymmddThhmmZ_address_digits.log
//
// Those of network load balancers, "net.name.id", are without an address.
// The files are plain, not compressed, and lines reach them within a second. The
// digits are random, so that every file has a name of its own. A file is locked while
// lines are added to it, and never opened again afterwards.
type Log struct {
	dir  string // of the bucket and prefix
	slot time.Duration
	arn  string
	kind string // what the files' names begin with
	node string // the address that they end with; empty for none

	mu struct {
		sync.Mutex
		end   time.Time // of the file's time
		timer *time.Timer
		file  *os.File
		size  int
		out   *bufio.Writer
		lost  error // of a file that was closed by the timer
		ended bool  // lines that come later are written one by one
	}
}

// The kinds of logs, as their files' names begin.
const (
	Access       = ""
	Connections  = "conn_log."
	HealthChecks = "health_check_log_"
)

// Log gives the log that attributes of a load balancer with a prefix ask for, nil for
// none.
func (dir Dir) Log(d *desired.Balancer, kind, prefix string) *Log {
	a := settings.Attributes(d.Attributes)
	if dir.Root == "" || !a.Bool(prefix+".s3.enabled", false) {
		return nil
	}
	// names come from the user: they stay below the root
	bucket := filepath.Join("/", a[prefix+".s3.bucket"], a[prefix+".s3.prefix"])
	l := &Log{dir: filepath.Join(dir.Root, bucket), slot: dir.Pace.Of(slot), arn: d.ARN, kind: kind}
	if !d.Network && len(d.Interfaces) > 0 {
		l.node = d.Interfaces[0].Address.String() + "_"
	}
	return l
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

// path is a new file's, for the time that ends then.
func (a *Log) path(end time.Time) string {
	parts := append(strings.SplitN(a.arn, ":", 6), make([]string, 6)...)
	region, account := parts[3], parts[4]
	id := strings.ReplaceAll(strings.TrimPrefix(parts[5], "loadbalancer/"), "/", ".")
	name := fmt.Sprintf("%s%s_elasticloadbalancing_%s_%s_%s_%s%s%s", a.kind, account, region, id, end.Format("20060102T1504Z"), a.node, fargo.NewHex(8), suffix)
	return filepath.Join(a.dir, "AWSLogs", account, "elasticloadbalancing", region, end.Format("2006/01/02"), name)
}

// Write adds a line.
func (a *Log) Write(line string, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	now = now.UTC()
	if end := now.Truncate(a.slot).Add(a.slot); a.mu.file == nil || a.mu.end.Before(end) || a.mu.size > largest {
		if err := a.openLocked(end, end.Sub(now)); err != nil {
			return err
		}
	}
	n, err := a.mu.out.WriteString(line + "\n")
	if a.mu.size += n; err != nil {
		return fmt.Errorf("log: %w", err)
	}
	if a.mu.ended {
		return a.closeLocked()
	}
	return nil
}

// openLocked opens a file for the time that ends then, which is after a while.
func (a *Log) openLocked(end time.Time, after time.Duration) error {
	if err := a.closeLocked(); err != nil {
		return err
	}
	file, err := create(a.path(end))
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	a.mu.end, a.mu.file, a.mu.size, a.mu.out = end, file, 0, bufio.NewWriterSize(file, 32<<10)
	a.mu.timer = time.AfterFunc(after, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.mu.file == file {
			a.mu.lost = a.closeLocked()
		}
	})
	return nil
}

// Flush writes what is buffered to the file. A nil log has nothing to write.
func (a *Log) Flush() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	lost := a.mu.lost
	a.mu.lost = nil
	if a.mu.file == nil {
		return lost
	}
	return errors.Join(lost, a.mu.out.Flush())
}

// Close closes the file. A line that comes later opens one for itself alone. A nil log
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
	lost := a.mu.lost
	if a.mu.lost = nil; a.mu.file == nil {
		return lost
	}
	a.mu.timer.Stop()
	err := errors.Join(lost, a.mu.out.Flush(), a.mu.file.Close())
	a.mu.file, a.mu.out = nil, nil
	return err
}
