package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/template"
	"time"
)

// report is what is printed at the end. Measurements add to it.
type report struct {
	Machine    string
	LoadBefore string
	LoadAfter  string
	Budgets    []row
	Ratios     []ratio
	Missing    []string // peers that this machine has not
	Failed     []failure
	Proxies    []string // rows of the table of load balancers
	latencies  []series
	// requestCost is the processor time of a request through our load balancer, 0 when it was
	// not measured.
	requestCost time.Duration
}

type ratio struct{ What, Peer, Ratio string }

// failure is a measurement that was not made.
type failure struct{ Name, Reason string }

func newReport() (*report, error) {
	machine, err := describeMachine()
	if err != nil {
		return nil, err
	}
	load, err := loadAverage()
	return &report{Machine: machine, LoadBefore: load}, err
}

// budget notes something measured, shown as the text, and whether it is within its
// bounds.
func (r *report) budget(what, text string, checks ...check) {
	r.Budgets = append(r.Budgets, judge(what, text, checks...))
}

// ratio notes how long something takes us, compared with a peer.
func (r *report) ratio(what string, ours time.Duration, peer string, theirs time.Duration) {
	r.Ratios = append(r.Ratios, ratio{what, peer, fmt.Sprintf("%.2f", ours.Seconds()/theirs.Seconds())})
}

// missing notes a peer that is not on this machine, once.
func (r *report) missing(peer string) {
	for _, known := range r.Missing {
		if known == peer {
			return
		}
	}
	r.Missing = append(r.Missing, peer)
}

// notMeasured notes a measurement that was not made, and why. Only the reason's
// first line is shown.
func (r *report) notMeasured(name string, reason error) {
	line, _, _ := strings.Cut(reason.Error(), "\n")
	r.Failed = append(r.Failed, failure{name, strings.ReplaceAll(line, "|", "\\|")})
}

func millis(d time.Duration) string { return fmt.Sprintf("%.1f ms", inMillis(d)) }

func inMillis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Latencies are the rows of the table of percentiles.
func (r *report) Latencies() []string {
	var rows []string
	for _, s := range r.latencies {
		rows = append(rows, fmt.Sprintf("| %s | %d | %s | %s | %s |", s.name, len(s.samples),
			millis(s.percentile(50)), millis(s.percentile(90)), millis(s.percentile(99))))
	}
	return rows
}

var page = template.Must(template.New("report").Parse(`{{.Machine}}. Load average {{.LoadBefore}} before, {{.LoadAfter}} after.

| budget | | measured | met |
|---|---|---|---|
{{range .Budgets}}| {{.What}} | {{.Budget}} | {{.Measured}} | {{.Met}} |
{{end}}{{if .Failed}}
| not measured | because |
|---|---|
{{range .Failed}}| {{.Name}} | {{.Reason}} |
{{end}}{{end}}
| Fargo | peer | ratio of times, below 1 is faster |
|---|---|---|
{{range .Ratios}}| {{.What}} | {{.Peer}} | {{.Ratio}} |
{{end}}{{range .Missing}}| | {{.}} | not installed |
{{end}}
| | runs | p50 | p90 | p99 |
|---|---|---|---|---|
{{range .Latencies}}{{.}}
{{end}}{{if .Proxies}}
| load balancer | | requests | p50 | p99 | processor time per request |
|---|---|---|---|---|---|
{{range .Proxies}}{{.}}
{{end}}{{end}}`))

// print writes the report as Markdown, with the load average of now.
func (r *report) print(w io.Writer) (err error) {
	if r.LoadAfter, err = loadAverage(); err != nil {
		return err
	}
	return page.Execute(w, r)
}

// loadAverage is that of one, five and fifteen minutes, from /proc. Our own work
// is in the one taken at the end.
func loadAverage() (string, error) {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "", err
	}
	return strings.Join(strings.Fields(string(b))[:3], " "), nil
}
