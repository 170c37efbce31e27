package metrics

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"fargo"
)

// Filter selects metrics. What is empty selects all.
type Filter struct {
	Namespace, Name string
	// Dimensions are those that a metric must have; one without a value may have any.
	Dimensions []Dimension
	// Since is the time from which on a metric must have data.
	Since time.Time
}

// Metrics are those of an account and region that a filter selects, ordered by namespace,
// name and dimensions.
func (s *Store) Metrics(scope fargo.Scope, f Filter) []Metric {
	s.index.mu.Lock()
	defer s.index.mu.Unlock()
	var names []string
	for at := range s.index.places {
		if at.scope == scope && (f.Namespace == "" || at.namespace == f.Namespace) {
			names = append(names, at.namespace)
		}
	}
	slices.Sort(names)
	var all []Metric
	for _, name := range names {
		for _, k := range s.index.places[place{scope, name}].inOrder() {
			if f.selects(k) {
				all = append(all, k.Metric)
			}
		}
	}
	return all
}

// selects reports whether a metric, whose namespace is right, is selected.
func (f *Filter) selects(k *known) bool {
	if f.Name != "" && k.Name != f.Name {
		return false
	}
	for _, want := range f.Dimensions {
		if !slices.ContainsFunc(k.Dimensions, func(has Dimension) bool {
			return has.Name == want.Name && (want.Value == "" || has.Value == want.Value)
		}) {
			return false
		}
	}
	return f.Since.IsZero() || slices.ContainsFunc(k.series, func(s *series) bool { return s.newest >= f.Since.Unix() })
}

// Compare orders metrics of an account and region by namespace, name and dimensions.
func (m Metric) Compare(o Metric) int {
	return cmp.Or(strings.Compare(m.Namespace, o.Namespace), strings.Compare(m.Name, o.Name),
		slices.CompareFunc(m.Dimensions, o.Dimensions, func(a, b Dimension) int {
			return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
		}))
}
