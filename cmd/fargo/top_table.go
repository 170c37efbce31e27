package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fargo"
)

// topLook is what there was at a time.
type topLook struct {
	At       time.Time
	Services []watchedService
	Tasks    []watchedTask       // those that are to run
	Counts   map[string]topCount // by the ARN of the task
	Unread   string              // why counters could not be read, or empty
	Metrics  topMetrics
}

// topCount is what a task has used since it began, but for memory, which it uses.
type topCount struct {
	CPU     time.Duration
	Memory  int64       // bytes
	Network *topTraffic // nil where it is not known
}

// topTraffic is in bytes.
type topTraffic struct{ In, Out uint64 }

// topMetrics are CloudWatch's newest: CPU and Memory in percent, by "cluster/service", and
// requests a second, by target group ("targetgroup/web/…").
type topMetrics struct{ CPU, Memory, Requests map[string]float64 }

// topRow is one row of the table.
type topRow struct {
	name, state string
	use         topUse
	// newest are of a service of which nothing could be measured.
	newestCPU, newestMemory *float64
	requests                *float64 // a second
	tasks                   []topRow
}

// topUse is what tasks use together. Each part is of those tasks of which it is known.
type topUse struct {
	cpu, cpuReserved       float64 // units
	memory, memoryReserved float64 // bytes
	in, out                float64 // bytes a second
	cpuKnown, memoryKnown  bool
	networkKnown           bool
}

func (u *topUse) add(v *topUse) {
	u.cpu += v.cpu
	u.cpuReserved += v.cpuReserved
	u.memory += v.memory
	u.memoryReserved += v.memoryReserved
	u.in += v.in
	u.out += v.out
	u.cpuKnown = u.cpuKnown || v.cpuKnown
	u.memoryKnown = u.memoryKnown || v.memoryKnown
	u.networkKnown = u.networkKnown || v.networkKnown
}

// table draws what was used since an earlier look: the services, and groups of tasks that
// are of none, the busiest first; with each its tasks, if they are wanted.
func (l *topLook) table(before *topLook, tasks bool) string {
	rows := [][]string{{"SERVICE", "TASKS", "CPU", "MEMORY", "USED", "IN/S", "OUT/S", "REQUESTS/S"}}
	if tasks {
		rows[0][0], rows[0][1] = "SERVICE, TASK", "TASKS, STATUS"
	}
	groups := l.groups(before)
	slices.SortFunc(groups, busiest)
	for _, g := range groups {
		rows = append(rows, g.cells())
		slices.SortFunc(g.tasks, busiest)
		for _, t := range g.tasks {
			if tasks {
				t.name = "  " + t.name
				rows = append(rows, t.cells())
			}
		}
	}
	return columns(rows) + strings.Join(l.notes(groups), "")
}

// groups are the rows of services, and of groups of tasks without one.
func (l *topLook) groups(before *topLook) []topRow {
	var groups []topRow
	at := map[string]int{} // by name
	for i := range l.Services {
		s := &l.Services[i]
		name := strings.TrimPrefix(resourceOf(s.ServiceArn), "service/")
		at[name] = len(groups)
		groups = append(groups, topRow{
			name: name, state: fmt.Sprintf("%d/%d", s.RunningCount, s.DesiredCount), requests: l.requests(s),
		})
	}
	for i := range l.Tasks {
		t := &l.Tasks[i]
		cluster, id, _ := strings.Cut(taskName(t.TaskArn), "/")
		name := cluster + "/" + strings.TrimPrefix(t.Group, "service:")
		g, ok := at[name]
		if !ok {
			g = len(groups)
			at[name] = g
			groups = append(groups, topRow{name: name})
		}
		use := l.use(before, t)
		groups[g].use.add(&use)
		groups[g].tasks = append(groups[g].tasks, topRow{name: id, state: t.LastStatus, use: use})
	}
	for i := range groups {
		groups[i].complete(&l.Metrics)
	}
	return groups
}

// complete adds what follows from all of a group's tasks.
func (r *topRow) complete(m *topMetrics) {
	r.state = cmp.Or(r.state, strconv.Itoa(len(r.tasks)))
	if !r.use.memoryKnown { // nothing is measured here
		r.newestCPU, r.newestMemory = known(m.CPU, r.name), known(m.Memory, r.name)
	}
}

func known(all map[string]float64, key string) *float64 {
	if v, ok := all[key]; ok {
		return &v
	}
	return nil
}

// requests are those that load balancers have sent to a service.
func (l *topLook) requests(s *watchedService) (sum *float64) {
	for _, b := range s.LoadBalancers {
		for _, arn := range []string{b.TargetGroupArn, b.AdvancedConfiguration.AlternateTargetGroupArn} {
			if n := known(l.Metrics.Requests, resourceOf(arn)); n != nil {
				if sum == nil {
					sum = new(float64)
				}
				*sum += *n
			}
		}
	}
	return sum
}

// use is what a task has used since an earlier look, a second, and what it may use.
func (l *topLook) use(before *topLook, t *watchedTask) (u topUse) {
	now, counted := l.Counts[t.TaskArn]
	if !counted {
		return u
	}
	u.memoryKnown, u.memory = true, float64(now.Memory)
	u.memoryReserved = reserved(t.Memory) * (1 << 20)
	last, counted := before.Counts[t.TaskArn]
	elapsed := l.At.Sub(before.At).Seconds()
	if !counted || elapsed <= 0 {
		return u
	}
	if now.CPU >= last.CPU {
		u.cpuKnown, u.cpu, u.cpuReserved = true, 1024*(now.CPU-last.CPU).Seconds()/elapsed, reserved(t.CPU)
	}
	if a, b := last.Network, now.Network; a != nil && b != nil && b.In >= a.In && b.Out >= a.Out {
		u.networkKnown, u.in, u.out = true, float64(b.In-a.In)/elapsed, float64(b.Out-a.Out)/elapsed
	}
	return u
}

// reserved is a number of DescribeTasks, 0 for none.
func reserved(text string) float64 {
	n, _ := strconv.ParseFloat(text, 64) // it is empty without a limit
	return n
}

// cpuPercent is of what is reserved; nil where one of both is not known.
func (r *topRow) cpuPercent() *float64 {
	return percentOr(r.use.cpuKnown, r.use.cpu, r.use.cpuReserved, r.newestCPU)
}

func (r *topRow) memoryPercent() *float64 {
	return percentOr(r.use.memoryKnown, r.use.memory, r.use.memoryReserved, r.newestMemory)
}

func percentOr(known bool, used, of float64, otherwise *float64) *float64 {
	if known && of > 0 {
		return new(100 * used / of)
	}
	return otherwise
}

// busiest orders rows by CPU, and by name where that is equal. What is not known comes last.
func busiest(a, b topRow) int {
	cpu := func(r *topRow) float64 {
		if p := r.cpuPercent(); p != nil {
			return *p
		}
		return -1
	}
	return cmp.Or(cmp.Compare(cpu(&b), cpu(&a)), cmp.Compare(a.name, b.name))
}

// unknown is drawn in place of what is not known.
const unknown = "-"

func (r *topRow) cells() []string {
	cells := []string{r.name, r.state, percentText(r.cpuPercent()), percentText(r.memoryPercent()), unknown, unknown, unknown, unknown}
	if r.use.memoryKnown {
		cells[4] = bytesText(r.use.memory)
	}
	if r.use.networkKnown {
		cells[5], cells[6] = bytesText(r.use.in), bytesText(r.use.out)
	}
	if r.requests != nil {
		cells[7] = strconv.FormatFloat(*r.requests, 'f', 1, 64)
	}
	return cells
}

func percentText(p *float64) string {
	if p == nil {
		return unknown
	}
	return strconv.FormatFloat(*p, 'f', 1, 64) + "%"
}

// bytesText is "1.5 MiB".
func bytesText(n float64) string {
	units := []string{"KiB", "MiB", "GiB", "TiB"}
	if n < 1024 {
		return fmt.Sprintf("%.0f B", n)
	}
	n /= 1024
	for n >= 1024 && len(units) > 1 {
		n, units = n/1024, units[1:]
	}
	return fmt.Sprintf("%.1f %s", n, units[0])
}

// notes say why something is not known, and what is of another time than the rest.
func (l *topLook) notes(groups []topRow) (lines []string) {
	elsewhere, newest, requests := 0, false, false
	for i := range l.Tasks {
		if _, counted := l.Counts[l.Tasks[i].TaskArn]; !counted && l.Tasks[i].LastStatus == string(fargo.TaskRunning) {
			elsewhere++
		}
	}
	for i := range groups {
		newest = newest || groups[i].newestCPU != nil || groups[i].newestMemory != nil
		requests = requests || groups[i].requests != nil
	}
	switch {
	case l.Unread != "":
		lines = append(lines, "What is - is not known here: "+l.Unread+".\n")
	case elsewhere > 0:
		lines = append(lines, fmt.Sprintf("What is - is not known here: %s not on this machine.\n", beText(elsewhere)))
	}
	if newest {
		lines = append(lines, "Services of which nothing is known here have CloudWatch's newest averages.\n")
	}
	if requests {
		lines = append(lines, "Requests are those of the last whole minute.\n")
	}
	return lines
}

func beText(tasks int) string {
	if tasks == 1 {
		return "1 task is"
	}
	return tasksText(tasks) + " are"
}
