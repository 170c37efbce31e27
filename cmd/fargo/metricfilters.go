package main

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"fargo"
	"fargo/logs"
	"fargo/logs/filter"
	"fargo/metrics"
)

// metricFilters make samples of log events, as the metric filters of their groups say. A
// sample has the time of its event. Those of events that are on disk when the process is
// killed, before their samples are, are lost; none counts twice.
type metricFilters struct {
	put func(context.Context, []metrics.Datum) error
	log *slog.Logger
	now func() time.Time

	mu       sync.Mutex
	samplers map[string]*filter.Sampler // by what makes them
	minutes  map[minute]bool            // those with events, and whether one matched
}

// minute is one in which there were events for a filter that has a default value.
type minute struct {
	scope         fargo.Scope
	group, filter string
	// metric and unit are the filter's, value is its default.
	namespace, metric, unit string
	value                   float64
	at                      int64 // in minutes since the epoch
}

func newMetricFilters(put func(context.Context, []metrics.Datum) error, log *slog.Logger, now func() time.Time) *metricFilters {
	return &metricFilters{put: put, log: log, now: now, samplers: map[string]*filter.Sampler{}, minutes: map[minute]bool{}}
}

// written makes the samples of events.
func (m *metricFilters) written(w logs.Written) {
	var data []metrics.Datum
	for i := range w.Group.MetricFilters {
		f := &w.Group.MetricFilters[i]
		s := m.sampler(f)
		if s == nil {
			continue
		}
		for _, e := range w.Events {
			matched := e.Message != "" && s.Match(e.Message)
			m.note(&w, f, e.Timestamp, matched)
			if !matched {
				continue
			}
			if v, dimensions, ok := s.Sample(e.Message); ok {
				data = append(data, datum(w.Scope, f, time.UnixMilli(e.Timestamp), v, dimensions))
			}
		}
	}
	m.add(data)
}

func datum(scope fargo.Scope, f *logs.MetricFilter, at time.Time, v float64, dimensions map[string]string) metrics.Datum {
	d := metrics.Datum{
		Metric: metrics.Metric{Scope: scope, Namespace: f.Namespace, Name: f.Metric},
		Unit:   f.Unit, Time: at, StatisticSet: metrics.Value(v),
	}
	for _, name := range slices.Sorted(maps.Keys(dimensions)) {
		d.Dimensions = append(d.Dimensions, metrics.Dimension{Name: name, Value: dimensions[name]})
	}
	return d
}

func (m *metricFilters) add(data []metrics.Datum) {
	if len(data) == 0 {
		return
	}
	if err := m.put(context.Background(), data); err != nil {
		m.log.Error("samples that metric filters made of log events are lost", "samples", len(data), "err", err)
	}
}

// maxSamplers is how many samplers are kept ready.
const maxSamplers = 1000

// sampler is that of a filter; nil if it is none, which PutMetricFilter refuses.
func (m *metricFilters) sampler(f *logs.MetricFilter) *filter.Sampler {
	key := f.Pattern + "\x00" + f.Value
	for _, name := range slices.Sorted(maps.Keys(f.Dimensions)) {
		key += "\x00" + name + "\x00" + f.Dimensions[name]
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.samplers[key]
	if !ok {
		s, _ = filter.NewSampler(f.Pattern, f.Value, f.Dimensions)
		if len(m.samplers) >= maxSamplers {
			clear(m.samplers)
		}
		m.samplers[key] = s
	}
	return s
}

// note takes down that there was an event, for a filter that has a default value.
func (m *metricFilters) note(w *logs.Written, f *logs.MetricFilter, millis int64, matched bool) {
	if f.Default == nil {
		return
	}
	at := minute{w.Scope, w.Group.Name, f.Name, f.Namespace, f.Metric, f.Unit, *f.Default, millis / time.Minute.Milliseconds()}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.minutes[at] = m.minutes[at] || matched
}

// Run gives filters their default values, in each minute that had events of which none
// matched, until ctx ends. Source: CloudWatch Logs user guide, "Creating metrics from log
// events using filters".
func (m *metricFilters) Run(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			m.addDefaults()
		}
	}
}

// addDefaults adds the default values of minutes that are over.
func (m *metricFilters) addDefaults() {
	over := m.now().Unix()/60 - 1
	var data []metrics.Datum
	m.mu.Lock()
	for at, matched := range m.minutes {
		if at.at > over {
			continue
		}
		delete(m.minutes, at)
		if !matched {
			f := logs.MetricFilter{Namespace: at.namespace, Metric: at.metric, Unit: at.unit}
			data = append(data, datum(at.scope, &f, time.Unix(at.at*60, 0), at.value, nil))
		}
	}
	m.mu.Unlock()
	m.add(data)
}
