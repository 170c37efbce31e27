package node

import (
	"cmp"
	"reflect"
	"slices"
	"sync"

	"fargo"
	"fargo/desired"
)

// reports are the latest of each task, numbered in the order they changed.
type reports struct {
	mu struct {
		sync.Mutex
		version      uint64
		acknowledged uint64
		latest       map[string]numbered // by task ARN
		newer        chan struct{}       // closed when version grows
	}
}

type numbered struct {
	report  desired.TaskReport
	version uint64
}

func newReports() *reports {
	r := &reports{}
	r.mu.latest = map[string]numbered{}
	r.mu.newer = make(chan struct{})
	return r
}

// set takes a task's report, if it says anything new.
func (r *reports) set(report desired.TaskReport) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if before, ok := r.mu.latest[report.TaskARN]; ok && reflect.DeepEqual(before.report, report) {
		return
	}
	r.mu.version++
	r.mu.latest[report.TaskARN] = numbered{report, r.mu.version}
	close(r.mu.newer)
	r.mu.newer = make(chan struct{})
}

// forget drops a task's report.
func (r *reports) forget(arn string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.mu.latest, arn)
}

// since gives the reports after version, oldest change first.
func (r *reports) since(version uint64) (changed []desired.TaskReport, now uint64, newer <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var after []numbered
	for _, n := range r.mu.latest {
		if n.version > version {
			after = append(after, n)
		}
	}
	slices.SortFunc(after, func(a, b numbered) int { return cmp.Compare(a.version, b.version) })
	for _, n := range after {
		changed = append(changed, n.report)
	}
	return changed, r.mu.version, r.mu.newer
}

// acknowledge notes what is committed, and gives the tasks whose end is since
// this call.
func (r *reports) acknowledge(version uint64) (over []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for arn, n := range r.mu.latest {
		if n.version > r.mu.acknowledged && n.version <= version && n.report.Status == fargo.TaskStopped {
			over = append(over, arn)
		}
	}
	r.mu.acknowledged = max(r.mu.acknowledged, version)
	return over
}

// committed reports whether the control plane has a task's latest report.
func (r *reports) committed(arn string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, known := r.mu.latest[arn]
	return known && n.version <= r.mu.acknowledged
}
