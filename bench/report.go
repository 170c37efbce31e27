package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"text/template"
	"time"
)

// series is one thing measured several times.
type series struct {
	name    string
	samples []time.Duration
}

func (s *series) add(d time.Duration) { s.samples = append(s.samples, d) }

// percentile is the smallest sample that p percent are not above.
func (s *series) percentile(p float64) time.Duration {
	sorted := slices.Sorted(slices.Values(s.samples))
	return sorted[max(0, int(math.Ceil(p/100*float64(len(sorted))))-1)]
}

// report is what is printed at the end.
type report struct {
	Machine    string
	LoadBefore string
	Budgets    []budget
	latencies  []series
	Ratios     []ratio
	Absent     []string // peers that are not there
	Balanced   []string // rows of the table of load balancers
}

type budget struct{ What, Budget, Measured, Met string }

type ratio struct{ What, Beside, Ratio string }

func newReport() (*report, error) {
	machine, err := describeMachine()
	if err != nil {
		return nil, err
	}
	load, err := load()
	return &report{Machine: machine, LoadBefore: load}, err
}

func (r *report) budget(what, limit, measured string, met bool) {
	answer := "no"
	if met {
		answer = "yes"
	}
	r.Budgets = append(r.Budgets, budget{what, limit, measured, answer})
}

// figure is something measured that has no budget.
func (r *report) figure(what, measured string) {
	r.Budgets = append(r.Budgets, budget{What: what, Measured: measured})
}

func (r *report) ratio(what string, ours time.Duration, beside string, theirs time.Duration) {
	r.Ratios = append(r.Ratios, ratio{what, beside, fmt.Sprintf("%.2f", ours.Seconds()/theirs.Seconds())})
}

func (r *report) absent(peer string) { r.Absent = append(r.Absent, peer) }

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// Latencies are the rows of the table of percentiles.
func (r *report) Latencies() []string {
	var rows []string
	for _, s := range r.latencies {
		rows = append(rows, fmt.Sprintf("| %s | %d | %s | %s | %s |", s.name, len(s.samples),
			millis(s.percentile(50)), millis(s.percentile(90)), millis(s.percentile(99))))
	}
	return rows
}

// LoadAfter is the load average now.
func (r *report) LoadAfter() (string, error) { return load() }

var page = template.Must(template.New("report").Parse(`{{.Machine}}. Load average {{.LoadBefore}} before, {{.LoadAfter}} after.

| budget | | measured | met |
|---|---|---|---|
{{range .Budgets}}| {{.What}} | {{.Budget}} | {{.Measured}} | {{.Met}} |
{{end}}
| Fargo | beside | ratio of times, below 1 is faster |
|---|---|---|
{{range .Ratios}}| {{.What}} | {{.Beside}} | {{.Ratio}} |
{{end}}{{range .Absent}}| | {{.}} | not installed |
{{end}}
| | runs | p50 | p90 | p99 |
|---|---|---|---|---|
{{range .Latencies}}{{.}}
{{end}}{{if .Balanced}}
| load balancer | | requests | p50 | p99 | processor time per request |
|---|---|---|---|---|---|
{{range .Balanced}}{{.}}
{{end}}{{end}}`))

func (r *report) print(w io.Writer) error { return page.Execute(w, r) }

// load is the load average of one, five and fifteen minutes. Our own work is in
// the second one.
func load() (string, error) {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "", err
	}
	return strings.Join(strings.Fields(string(b))[:3], " "), nil
}
