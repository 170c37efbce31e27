package logs

import (
	"fargo"
	"fargo/desired"
)

// MetricFilter says of which events of a group what metric has a sample. Its texts are
// CloudWatch Logs'; the store does not read them.
type MetricFilter struct {
	Name    string `json:"name"`
	Pattern string `json:"pattern"`
	Created int64  `json:"created"`
	// Namespace, Metric, Value, Unit, Default and Dimensions are those of the metric's
	// transformation.
	Namespace  string            `json:"namespace"`
	Metric     string            `json:"metric"`
	Value      string            `json:"value"`
	Unit       string            `json:"unit,omitempty"`
	Default    *float64          `json:"default,omitempty"`
	Dimensions map[string]string `json:"dimensions,omitempty"`
	// Transformed says that the filter is for events that a transformer has changed.
	Transformed bool `json:"transformed,omitempty"`
}

// Written is events that are on disk.
type Written struct {
	Scope  fargo.Scope
	Group  Group // as it was when they were written
	Events []desired.LogEvent
}

// Watch has f called with the events of groups that have metric filters, once each, after
// they are on disk and before their writer is told so. It is called before the store is
// in use.
func (s *Store) Watch(f func(Written)) { s.watch = f }

// written gives w, which is on disk, to those that watch.
func (s *Store) written(w *write) {
	s.tails.publish(w)
	if s.watch != nil && len(w.g.MetricFilters) > 0 && len(w.events) > 0 {
		s.watch(Written{w.scope, w.g.Group, w.events})
	}
}
